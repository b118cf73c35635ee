import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryServer } from './memory-server.ts';

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
    await page.getByTestId('composer').waitFor();
  }

  const row = (page: Page, body: string) => page.getByTestId('message').filter({ hasText: body });
  const marked = (page: Page, body: string, mark: string) =>
    row(page, body).locator(`[data-testid=mark][data-mark=${mark}]`).waitFor();

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
