import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isFree } from '../src/servers/free-port.ts';
import { needs } from '../src/vitest.ts';
import { BrowserWindow, openBrowser } from './browser-window.ts';
import { takeChatPicture } from './chat-picture.ts';
import { type FreshClone, freePortPair, freshClone, type NpmRun, systemNode } from './fresh-clone.ts';
import { StockUser, signIn } from './stock-user.ts';

/** With the install: dependencies come through the network. */
const FIRST_START_MS = 150_000;
const START_MS = 40_000;
const ROOT = resolve(import.meta.dirname, '../../..');

const chromium = needs('chromium', '/usr/bin/chromium');
const git = needs('a git clone', join(ROOT, '.git'));
const proc = needs('/proc', '/proc/self/stat');

// What is committed is what is tested: the clone knows nothing of the files that are being worked on.
git.describe('npm start in a fresh clone', () => {
  proc.describe('with the Node of the system', () => {
    let clone: FreshClone;
    let stack: NpmRun;
    let port = 0;
    let url = '';
    let browser: Browser | undefined;
    let ada: BrowserWindow;
    let grace: BrowserWindow;
    let chat = '';

    async function open(at: string, name: string): Promise<BrowserWindow> {
      if (!browser) throw new Error('There is no browser.');
      const window = new BrowserWindow(await (await browser.newContext()).newPage());
      await window.signIn(at, name);
      return window;
    }

    async function start(at: number, withinMs: number): Promise<NpmRun> {
      const npm = clone.npm(['start'], { PORT: String(at) });
      await npm.says(`listening on http://127.0.0.1:${at}`, withinMs);
      return npm;
    }

    beforeAll(async () => {
      clone = await freshClone();
      expect(existsSync(join(clone.dir, 'node_modules'))).toBe(false);
      port = await freePortPair();
      url = `http://127.0.0.1:${port}`;
      stack = await start(port, FIRST_START_MS);
      if (!chromium.missing) browser = await openBrowser(chromium.path);
    }, FIRST_START_MS + 10_000);

    afterAll(async () => {
      await browser?.close();
      await clone?.[Symbol.asyncDispose]();
    });

    it('[RUN-100] installs, and hands over to the Node that came with it', async () => {
      const outside = await systemNode();
      expect(Number(outside.version.split('.')[0])).toBeGreaterThanOrEqual(18);
      expect(stack.output).toMatch(/installed in [\d.]+ s/);
      const running = clone.processes();
      const programOf = (file: string) => running.filter(({ args }) => args.includes(file)).map((each) => each.program);
      expect(programOf('tools/start.mjs start')).toContain(outside.program);
      const own = join(clone.dir, 'node_modules/node/bin/node');
      for (const file of ['tools/dev.ts', 'apps/api/src/main.ts', 'apps/worker/src/main.ts']) {
        expect(programOf(file), file).toEqual([own]);
      }
      expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
      expect((await fetch(`http://127.0.0.1:${port + 1}/readyz`)).status).toBe(200);
    });

    chromium.test(
      '[RUN-101] two windows talk: live both ways, unread until looked at, marked up to persisted',
      async () => {
        [ada, grace] = await Promise.all([open(url, 'ada'), open(url, 'grace')]);
        chat = await ada.chatWith('grace');
        await ada.keepMarks();
        await ada.say('Good morning, Grace');
        await grace.channel(chat).getByTestId('unread').filter({ hasText: '1' }).waitFor();
        await ada.seesMark('Good morning, Grace', 'persisted');
        expect(await ada.marksOf('Good morning, Grace')).toEqual(['pending', 'accepted', 'persisted']);
        await grace.channel(chat).click();
        await grace.sees('Good morning, Grace');
        await grace.channel(chat).getByTestId('unread').waitFor({ state: 'detached' });
        await grace.say('Good morning, Ada');
        await ada.sees('Good morning, Ada');
        await grace.seesMark('Good morning, Ada', 'persisted');
        expect(await ada.conversation()).toEqual(['Good morning, Grace', 'Good morning, Ada']);
        expect([...ada.complaints, ...grace.complaints]).toEqual([]);
      },
      60_000,
    );

    it('[RUN-102] Ctrl-C ends it, and nothing of it is left', async () => {
      expect(clone.processes().length).toBeGreaterThan(5);
      await stack.interrupt(15_000);
      expect(clone.processes()).toEqual([]);
      expect([await isFree(port), await isFree(port + 1)]).toEqual([true, true]);
      expect(stack.output).not.toMatch(/error|starting it again/i);
    });

    it('[RUN-103] the next start installs nothing and is the same Parley', async () => {
      stack = await start(port, START_MS);
      expect(stack.output).not.toContain('npm ci');
    }, 60_000);

    chromium.test(
      '[RUN-103] the conversation is there again, and goes on in the windows that stayed open',
      async () => {
        for (const window of [ada, grace]) await window.connected();
        await ada.page.reload();
        await ada.channel(chat).click();
        await ada.sees('Good morning, Ada');
        expect(await ada.conversation()).toEqual(['Good morning, Grace', 'Good morning, Ada']);
        await ada.say('We were away for a moment');
        await grace.sees('We were away for a moment');
      },
      60_000,
    );

    it('[RUN-104] a port that is taken is said, and nothing is started', async () => {
      const taken = await freePortPair();
      const other = createServer().listen(taken, '127.0.0.1');
      const npm = clone.npm(['start'], { PORT: String(taken) });
      expect(await npm.ends(15_000)).toBeGreaterThan(0);
      expect(npm.output).toContain(`port ${taken} is taken`);
      expect(existsSync(join(clone.dir, `.data/port-${taken}`))).toBe(false);
      other.close();
    });

    it('[RUN-105] a second stack of the clone on another port knows nothing of the first', async () => {
      const first = new StockUser('ada', await signIn(url, 'ada'), () => url);
      const secret = await first.client.channel.create.mutate({ kind: 'group', name: 'Only here', memberIds: [] });
      await first.send(secret.id, 'a secret of the first stack');
      const secondPort = await freePortPair();
      const secondUrl = `http://127.0.0.1:${secondPort}`;
      const second = await start(secondPort, START_MS);
      const other = new StockUser('ada', await signIn(secondUrl, 'ada'), () => secondUrl);
      const names = async (user: StockUser) => (await user.client.channel.list.query({})).items.map(({ name }) => name);
      expect(await names(other)).toEqual(['Ada and Grace']);
      expect(await names(first)).toContain('Only here');
      await expect(other.client.message.page.query({ channelId: secret.id })).rejects.toThrow();
      for (const user of [first, other]) await user[Symbol.asyncDispose]();
      await second.interrupt(15_000);
      expect((await fetch(url)).status).toBe(200);
    }, 60_000);

    it('[RUN-106] the log Redis is killed: a line says so, it is started again, and nothing is lost', async () => {
      const user = new StockUser('ada', await signIn(url, 'ada'), () => url);
      const { id } = await user.client.channel.create.mutate({ kind: 'group', name: 'Killed', memberIds: [] });
      await user.watch(id);
      await user.send(id, 'before');
      const redis = clone.processes().filter(({ cwd }) => cwd === join(clone.dir, '.data/redis-log'));
      expect(redis).toHaveLength(1);
      for (const { pid } of redis) process.kill(pid, 'SIGKILL');
      await user.send(id, 'after');
      await stack.says('Redis (log store) ended (SIGKILL): starting it again', 5_000);
      await stack.says('Redis (log store) runs again', 10_000);
      await expect.poll(() => user.watches[0]?.seen.length, { timeout: 10_000 }).toBe(2);
      const { items } = await user.client.message.page.query({ channelId: id });
      expect(items.map(({ body }) => body)).toEqual(['before', 'after']);
      await user[Symbol.asyncDispose]();
    }, 60_000);

    chromium.test(
      '[RUN-106] the windows go on after it, with all that was said before',
      async () => {
        await ada.say('Still here?');
        await grace.sees('Still here?');
        await ada.seesMark('Still here?', 'persisted');
        const whole = ['Good morning, Grace', 'Good morning, Ada', 'We were away for a moment', 'Still here?'];
        expect(await grace.conversation()).toEqual(whole);
      },
      60_000,
    );

    it('[RUN-107] npm run verify finds the running stack and every promise kept', async () => {
      const verify = clone.npm(['run', 'verify']);
      expect(await verify.ends(30_000), verify.output).toBe(0);
      const report = JSON.parse(verify.output.split('\n').findLast((line) => line.startsWith('{')) ?? '{}');
      expect(report).toMatchObject({ ok: true, lost: 0, duplicate: 0, reused: 0 });
      expect(report.accepted).toBeGreaterThan(1);
    }, 40_000);

    it('[RUN-108] npm run api joins the running stack as a second node', async () => {
      const nodePort = await freePortPair();
      const nodeUrl = `http://127.0.0.1:${nodePort}`;
      const node = clone.npm(['run', 'api'], { PORT: String(nodePort) });
      await node.says(`listening on ${nodeUrl}`, START_MS);
      const here = new StockUser('ada', await signIn(url, 'ada'), () => url);
      const there = new StockUser('grace', await signIn(nodeUrl, 'grace'), () => nodeUrl);
      const memberIds = [there.userId];
      const { id } = await here.client.channel.create.mutate({ kind: 'group', name: 'Two nodes', memberIds });
      await there.watch(id);
      const { messageId } = await here.send(id, 'across');
      const seen = () => there.watches[0]?.seen.map((each) => each.messageId);
      await expect.poll(seen, { timeout: 10_000 }).toEqual([messageId]);
      for (const user of [here, there]) await user[Symbol.asyncDispose]();
      await node.interrupt(15_000);
      expect(await isFree(nodePort)).toBe(true);
    }, 60_000);

    const picture = process.env.SCREENSHOT;
    if (picture) {
      chromium.test(
        'the picture of the documentation',
        async () => {
          if (browser) await takeChatPicture(browser, url, resolve(ROOT, picture));
        },
        90_000,
      );
    }
  });
});
