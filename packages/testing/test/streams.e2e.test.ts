import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
import { migrate } from '@parley/store';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { freePort } from '../src/servers/free-port.ts';
import { needs } from '../src/vitest.ts';
import { openBrowser } from './browser-window.ts';
import { StockUser, signIn } from './stock-user.ts';

/** The browser's pause, the answer to a used ticket, the client's pause, and a slow machine. */
const BACK_MS = 40_000;
const MODULES = resolve(import.meta.dirname, '../../../node_modules/@trpc');

const IMPORTS = {
  '@trpc/client': '/m/client/dist/index.mjs',
  '@trpc/server': '/m/server/dist/index.mjs',
  '@trpc/server/observable': '/m/server/dist/observable/index.mjs',
  '@trpc/server/rpc': '/m/server/dist/rpc.mjs',
  '@trpc/server/unstable-core-do-not-import': '/m/server/dist/unstable-core-do-not-import.mjs',
};

/** A page of another site, with the stock client as it is published and the browser's own EventSource. */
const PAGE = `<!doctype html><link rel="icon" href="data:,"><title>streams</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from '@trpc/client';
const { api, token, channelId } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const bodies = (window.bodies = []), problems = (window.problems = []);
window.opened = 0;
const batch = httpBatchLink({ url: api + '/trpc', headers: { authorization: 'Bearer ' + token, 'x-parley-protocol': '1' } });
const rpc = createTRPCClient({ links: [batch] });
const ticket = async () => (await rpc.session.ticket.mutate()).ticket;
const streams = httpSubscriptionLink({ url: async () => api + '/trpc?ticket=' + (await ticket()) });
const chat = createTRPCClient({ links: [splitLink({ condition: (op) => op.type === 'subscription', true: streams, false: batch })] });
rpc.user.me.query().then((me) => (window.me = me.name), (error) => problems.push(String(error)));
chat.feed.channel.subscribe({ channelId }, {
  onData({ data }) {
    if (data.type === 'opened') window.opened++;
    if (data.type === 'message.created') bodies.push(data.message.body);
  },
  onError: (error) => problems.push(String(error)),
});
</script>`;

async function servePage(port: number): Promise<Server> {
  const server = createServer(async (req, res) => {
    if (!req.url?.startsWith('/m/')) {
      res.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
      return;
    }
    const file = resolve(MODULES, req.url.slice(3));
    const text = file.startsWith(MODULES) ? await readFile(file).catch(() => null) : null;
    res.writeHead(text ? 200 : 404, { 'content-type': 'text/javascript' }).end(text);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const chromium = needs('chromium', '/usr/bin/chromium');

chromium.describe('a page of another origin, in a browser', () => {
  let cluster: Cluster;
  let browser: Browser;
  const pages: Server[] = [];
  let ports: [allowed: number, foreign: number];

  beforeAll(async () => {
    ports = [await freePort(), await freePort()];
    for (const port of ports) pages.push(await servePage(port));
    const env = { ALLOWED_ORIGINS: `http://127.0.0.1:${ports[0]}` };
    cluster = await startCluster({ apis: 1, workers: 0, migrate, env });
    browser = await openBrowser(chromium.path);
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.[Symbol.asyncDispose]();
    for (const page of pages) page.close();
  });

  async function open(port: number, scene: object): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${port}/#${encodeURIComponent(JSON.stringify(scene))}`);
    return page;
  }

  chromium.test(
    '[DOOR-56] calls and streams work with the stock client and the browser’s own EventSource, and go on after the server was killed',
    async () => {
      const api = () => cluster.apis.at(-1)?.url ?? '';
      const sign = await signIn(api(), 'ada');
      await using ada = new StockUser('ada', sign, api);
      const { id: channelId } = await ada.client.channel.create.mutate({ kind: 'group', name: 'g', memberIds: [] });
      const say = (body: string, clientMsgId = randomUUID()) =>
        ada.client.message.send.mutate({ channelId, clientMsgId, body });
      const scene = { api: api(), token: sign.token, channelId };
      const page = await open(ports[0], scene);
      await page.waitForFunction('window.opened === 1', undefined, { timeout: BACK_MS });
      await say('before');
      await page.waitForFunction('window.bodies.length === 1', undefined, { timeout: BACK_MS });
      const [node] = cluster.apis;
      const sendId = randomUUID();
      await node?.kill();
      await cluster.startApi(node?.port);
      await expect
        .poll(
          () =>
            say('meanwhile', sendId).then(
              () => true,
              () => false,
            ),
          { timeout: BACK_MS },
        )
        .toBe(true);
      await page.waitForFunction('window.bodies.length >= 2', undefined, { timeout: BACK_MS });
      await say('after');
      await page.waitForFunction('window.bodies.length >= 3', undefined, { timeout: BACK_MS });
      expect(await page.evaluate('[window.me, window.bodies, window.opened, window.problems]')).toEqual([
        'ada',
        ['before', 'meanwhile', 'after'],
        2,
        [],
      ]);

      const foreign = await open(ports[1], scene);
      await foreign.waitForFunction('window.problems.length === 2', undefined, { timeout: BACK_MS });
      expect(await foreign.evaluate('[window.me ?? null, window.bodies, window.opened]')).toEqual([null, [], 0]);
    },
    120_000,
  );
});
