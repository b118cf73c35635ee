import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryServer } from './memory-server.ts';

vi.setConfig({ testTimeout: 90_000 });

const CHROMIUM = '/usr/bin/chromium';

let browser: Browser;
let dist: string;
let server: MemoryServer;
let url: string;
/** What the browser complained about, apart from sockets that a test cut. */
let complaints: string[];

describe.skipIf(!existsSync(CHROMIUM))('the page in a browser', () => {
  beforeAll(async () => {
    dist = await mkdtemp(join(tmpdir(), 'parley-web-'));
    const root = fileURLToPath(new URL('..', import.meta.url));
    await build({ root, logLevel: 'error', build: { outDir: dist, emptyOutDir: true } });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser.close();
    await rm(dist, { recursive: true, force: true });
  });

  beforeEach(async () => {
    complaints = [];
    server = new MemoryServer(dist);
    url = await server.run();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await server.stop();
  });

  async function enter(name: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (line) => {
      if (line.type() === 'error' && !line.text().includes('WebSocket connection')) complaints.push(line.text());
    });
    await page.goto(url);
    await page.getByTestId('name').fill(name);
    await page.getByTestId('sign-in').click();
    await page.locator('[data-testid=connection][data-status=connected]').waitFor();
    return page;
  }

  async function say(page: Page, body: string): Promise<void> {
    await page.getByTestId('composer').fill(body);
    await page.keyboard.press('Enter');
  }

  async function chatWith(page: Page, name: string): Promise<void> {
    await page.getByTestId('new-chat').click();
    await page.getByTestId('people').fill(name);
    await page.getByTestId('create').click();
    // The form has closed: until then another chat may be the open one.
    await page.getByTestId('new-chat').waitFor();
    await page.getByTestId('composer').waitFor();
  }

  const row = (page: Page, body: string) => page.getByTestId('message').filter({ hasText: body });
  const marked = (page: Page, body: string, mark: string) =>
    // Between two tries a client may wait for half a minute [CLIENT-1].
    row(page, body).locator(`[data-testid=mark][data-mark=${mark}]`).waitFor({ timeout: 45_000 });

  test('[CLIENT-26] two people talk: what one sends the other sees, unread until it is looked at', async () => {
    server.chat.persistAfterMs = 1_500;
    const ben = await enter('Ben');
    const ada = await enter('Ada');
    await chatWith(ada, 'Ben');
    await say(ada, 'Hello Ben');
    await marked(ada, 'Hello Ben', 'accepted');
    await ben.getByTestId('unread').filter({ hasText: '1' }).waitFor();
    await marked(ada, 'Hello Ben', 'persisted');
    await ben.getByTestId('channel').filter({ hasText: 'Ada' }).click();
    await row(ben, 'Hello Ben').waitFor();
    await ben.getByTestId('unread').waitFor({ state: 'detached' });
    await say(ben, 'Hello Ada');
    await row(ada, 'Hello Ada').waitFor();
    expect(await ada.getByTestId('message').count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-26] what is written while the server is away waits, survives a reload, and is sent once, in order', async () => {
    const ada = await enter('Ada');
    await chatWith(ada, 'Ben');
    server.setDown(true);
    for (const body of ['one', 'two', 'three']) await say(ada, body);
    await marked(ada, 'three', 'pending');
    await ada.reload();
    await ada.getByTestId('connection').waitFor();
    server.setDown(false);
    await ada.getByTestId('channel').filter({ hasText: 'Ben' }).click();
    for (const body of ['one', 'two', 'three']) await marked(ada, body, 'persisted');
    const rows = await ada.getByTestId('message').locator('.body').allTextContents();
    expect(rows).toEqual(['one', 'two', 'three']);
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-26] a refused message stays, with a way to try again and one to give it up', async () => {
    server.chat.refused.add('no').add('never');
    const ada = await enter('Ada');
    await chatWith(ada, 'Ben');
    await say(ada, 'no');
    await marked(ada, 'no', 'failed');
    server.chat.refused.delete('no');
    await row(ada, 'no').getByTestId('retry').click();
    await marked(ada, 'no', 'persisted');
    await say(ada, 'never');
    await row(ada, 'never').getByTestId('discard').click();
    await row(ada, 'never').waitFor({ state: 'detached' });
  });

  test('[CLIENT-26] scrolling up loads what is older, and the place is kept', async () => {
    const [ada, ben] = [server.chat.user('Ada'), server.chat.user('Ben')];
    const { id: channelId } = server.chat.create(ada.id, { kind: 'direct', memberIds: [ben.id] });
    for (let n = 1; n <= 120; n += 1) {
      server.chat.send(ben.id, { channelId, clientMsgId: randomUUID(), body: `line ${n}.` });
    }
    const page = await enter('Ada');
    await page.getByTestId('channel').click();
    await row(page, 'line 120.').waitFor();
    expect(await page.getByTestId('message').count()).toBe(50);
    await page.getByTestId('log').evaluate((log) => log.scrollTo(0, 0));
    await row(page, 'line 21.').waitFor({ state: 'attached' });
    const top = await row(page, 'line 71.').evaluate((element) => element.getBoundingClientRect().top);
    expect(top).toBeGreaterThan(0);
    expect(top).toBeLessThan(400);
  });

  test('[CLIENT-27] what people write is shown as text', async () => {
    const ada = await enter('Ada');
    await chatWith(ada, '<b>Ben</b>');
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await say(ada, hostile);
    await marked(ada, hostile, 'persisted');
    expect(await ada.locator('.log img, .log script').count()).toBe(0);
    expect(await ada.title()).toBe('Parley');
    expect(complaints).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('[CLIENT-27] axe finds nothing to complain of (%s)', async (colorScheme) => {
    server.chat.refused.add('refused');
    const ada = await enter('Ada', { colorScheme });
    await chatWith(ada, 'Ben, Cleo');
    for (const body of ['hello', 'refused']) await say(ada, body);
    await marked(ada, 'refused', 'failed');
    await ada.getByTestId('new-chat').click();
    await ada.evaluate(axe.source);
    const found = await ada.evaluate('axe.run().then(({ violations }) => violations.map((each) => each.id))');
    expect(found).toEqual([]);
  });

  /** Opens the actions of a message and chooses one. */
  async function act(page: Page, body: string, action: 'edit' | 'delete' | 'reply'): Promise<void> {
    await row(page, body).getByTestId('actions').click();
    await row(page, body).getByTestId(action).click();
  }

  /** Two people in one open conversation. */
  async function together(kind: 'direct' | 'group' = 'direct'): Promise<[Page, Page]> {
    const [ada, ben] = [await enter('Ada'), await enter('Ben')];
    await chatWith(ada, kind === 'direct' ? 'Ben' : 'Ben, Cleo');
    await ben.getByTestId('channel').click();
    await ben.getByTestId('composer').waitFor();
    return [ada, ben];
  }

  test('[CLIENT-80] an edit, a reaction and a deletion are seen in the other window', async () => {
    const [ada, ben] = await together();
    await say(ada, 'Hullo');
    await row(ben, 'Hullo').waitFor();
    await act(ada, 'Hullo', 'edit');
    await ada.getByTestId('edit-body').fill('Hello');
    await ada.keyboard.press('Enter');
    await row(ada, 'Hello').getByTestId('edited').waitFor();
    await row(ben, 'Hello').getByTestId('edited').waitFor();
    await row(ben, 'Hello').getByTestId('actions').click();
    await row(ben, 'Hello').getByTestId('react').first().click();
    const reaction = row(ada, 'Hello').getByTestId('reaction');
    await reaction.filter({ hasText: '1' }).click();
    await row(ben, 'Hello').getByTestId('reaction').filter({ hasText: '2' }).click();
    await reaction.filter({ hasText: '1' }).waitFor();
    expect(await row(ben, 'Hello').getByTestId('edit').count()).toBe(0);
    await act(ada, 'Hello', 'delete');
    await row(ben, 'Deleted').waitFor();
    expect(await ben.getByText('Hello', { exact: true }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-80] an edit that is refused shows the old words again, and why', async () => {
    server.chat.refused.add('never');
    const [ada] = await together();
    await say(ada, 'first');
    await marked(ada, 'first', 'persisted');
    await act(ada, 'first', 'edit');
    await ada.getByTestId('edit-body').fill('never');
    await ada.getByTestId('save-edit').click();
    await ada.getByTestId('failed-change').waitFor();
    await row(ada, 'first').waitFor();
    await ada.getByTestId('dismiss').click();
    await ada.getByTestId('failed-change').waitFor({ state: 'detached' });
  });

  test('[CLIENT-80] typing is seen while it goes on, a message as delivered and then as read, and who is there', async () => {
    const [ada, ben] = await together();
    await ben.getByTestId('composer').pressSequentially('Hi');
    await ada.getByTestId('typing').filter({ hasText: 'Ben is typing' }).waitFor();
    await ben.keyboard.press('Enter');
    await row(ada, 'Hi').waitFor();
    await ada.getByTestId('typing').filter({ hasNotText: 'Ben' }).waitFor();
    await row(ben, 'Hi').locator('[data-testid=seen][data-seen=read]').waitFor();
    await ada.getByTestId('presence').locator('nth=0').and(ada.locator('[data-status=online]')).waitFor();
    await chatWith(ben, 'Ada, Cleo');
    await say(ben, 'Not looked at');
    await row(ben, 'Not looked at').locator('[data-testid=seen][data-seen=delivered]').waitFor();
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-81] replies are beside the message, and counted on it', async () => {
    const [ada, ben] = await together();
    await say(ada, 'Topic');
    await row(ben, 'Topic').waitFor();
    await act(ben, 'Topic', 'reply');
    await ben.getByTestId('thread-composer').fill('In reply');
    await ben.keyboard.press('Enter');
    const log = ada.getByTestId('log');
    await log.getByTestId('replies').filter({ hasText: '1 reply' }).click();
    await ada.getByTestId('thread').getByText('In reply').waitFor();
    expect(await ada.getByTestId('thread').getByTestId('message').count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-81] members have roles, a channel another name, and who is meant is told', async () => {
    const [ada, ben] = await together('group');
    await ada.getByTestId('open-details').click();
    const details = ada.getByTestId('details');
    await details.getByTestId('member').filter({ hasText: 'Ben' }).getByTestId('role').selectOption('admin');
    await ben.getByTestId('open-details').click();
    await ben.getByTestId('rename').fill('Renamed');
    await ben.getByTestId('save-name').click();
    await ada.getByRole('heading', { name: 'Renamed' }).waitFor();
    await chatWith(ben, 'Ada');
    await say(ada, 'Have a look, @ben');
    await ben.getByTestId('mentions').waitFor();
    await ben.getByTestId('channel').filter({ hasText: 'Renamed' }).click();
    await row(ben, 'Have a look').waitFor();
    await ben.getByTestId('open-details').click();
    await ben.getByTestId('leave').click();
    await ben.getByTestId('channel').filter({ hasText: 'Renamed' }).waitFor({ state: 'detached' });
    await details.getByTestId('member').filter({ hasText: 'Ben' }).waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-81] a public channel is made by one, found and joined by another', async () => {
    const [ada, ben] = [await enter('Ada'), await enter('Ben')];
    await ada.getByTestId('new-chat').click();
    await ada.getByTestId('title').fill('Lobby');
    await ada.getByTestId('public').check();
    await ada.getByTestId('create').click();
    await ada.getByTestId('composer').waitFor();
    await ben.getByTestId('browse').click();
    await ben.getByTestId('browse-query').fill('Lob');
    await ben.getByTestId('found-channel').filter({ hasText: 'Lobby' }).getByTestId('join').click();
    await ben.getByTestId('composer').waitFor();
    await say(ben, 'Here I am');
    await row(ada, 'Here I am').waitFor();
    expect(complaints).toEqual([]);
  });

  test('[CLIENT-27] axe finds nothing to complain of in the panels, the actions and the search for channels', async () => {
    const [ada] = await together('group');
    await say(ada, 'Topic');
    await marked(ada, 'Topic', 'persisted');
    await ada.getByTestId('browse').click();
    const complaintsOfAxe = async () => {
      await ada.evaluate(axe.source);
      return ada.evaluate('axe.run().then(({ violations }) => violations.map((each) => each.id))');
    };
    await ada.getByTestId('open-details').click();
    await ada.getByTestId('member').first().waitFor();
    expect(await complaintsOfAxe()).toEqual([]);
    await act(ada, 'Topic', 'reply');
    await ada.getByTestId('thread').waitFor();
    const shown = ada.getByTestId('log').getByTestId('message');
    await shown.getByTestId('actions').click();
    await shown.getByTestId('react').first().click();
    await shown.getByTestId('reaction').waitFor();
    await shown.getByTestId('actions').click();
    expect(await complaintsOfAxe()).toEqual([]);
  });

  test('[CLIENT-11] signing out leaves nothing of the user in the browser', async () => {
    const ada = await enter('Ada');
    await chatWith(ada, 'Ben');
    server.setDown(true);
    await say(ada, 'unsent');
    await marked(ada, 'unsent', 'pending');
    await ada.getByTestId('sign-out').click();
    await ada.getByTestId('name').waitFor();
    expect(await ada.evaluate(() => sessionStorage.length)).toBe(0);
    server.setDown(false);
    await ada.getByTestId('name').fill('Ada');
    await ada.getByTestId('sign-in').click();
    await ada.getByTestId('channel').click();
    await ada.getByText('Say the first word.').waitFor();
  });
});
