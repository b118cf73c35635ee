import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { StockUser, signIn } from './stock-user.ts';

/** No word of a program has it; and short, for parsers quote but a few letters of what they cannot read. */
const PLANT = `plant${randomUUID().slice(0, 8)}`;

let cluster: Cluster;
beforeAll(async () => {
  const env = { LOG_LEVEL: 'trace', DB_SLOW_STATEMENT_MS: '1', ADMIN_TOKEN: `${PLANT}-admin-${'x'.repeat(32)}` };
  cluster = await startCluster({ apis: 1, workers: 1, migrate, env });
}, 180_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** One command of Redis' inline protocol; what came back within a moment. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.on('data', (part) => {
      answer += part.toString();
    });
    socket.once('error', reject);
    setTimeout(() => {
      socket.destroy();
      resolve(answer);
    }, 200);
  });
}

/** Calls with words in every place where a user can put some. Whatever becomes of them is no matter. */
async function say(user: StockUser, channelId: string): Promise<void> {
  const { client } = user;
  const once = { channelId, clientMsgId: randomUUID() };
  await Promise.allSettled([
    client.message.send.mutate({ ...once, body: `${PLANT} said` }),
    client.message.send.mutate({ channelId, clientMsgId: randomUUID(), body: `${PLANT} said`, ack: 'persisted' }),
    client.message.edit.mutate({
      channelId,
      messageId: randomUUID(),
      body: `${PLANT} edited`,
      op: { id: randomUUID() },
    }),
    client.message.search.query({ query: `${PLANT} sought` }),
    client.channel.update.mutate({ channelId, topic: `${PLANT} topic`, op: { id: randomUUID() } }),
    client.presence.set.mutate({ status: 'busy', text: `${PLANT} status` }),
    // No input of this shape.
    client.message.send.mutate({ ...once, body: { text: PLANT } } as never),
  ]);
}

/** Tokens in every place where a client can put one. */
async function knock(url: string, token: string): Promise<void> {
  const wrong = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.${PLANT}`;
  const headers = { authorization: `Bearer ${wrong}`, cookie: `session=${PLANT}`, 'x-parley-protocol': '1' };
  const input = encodeURIComponent(JSON.stringify({ query: PLANT }));
  const tries = [
    fetch(`${url}/trpc/user.me`, { headers }),
    fetch(`${url}/trpc/user.me?token=${token}`, { headers: { 'x-parley-protocol': '1' } }),
    fetch(`${url}/trpc/feed.inbox?ticket=${PLANT}`, { headers: { accept: 'text/event-stream' } }),
    fetch(`${url}/trpc/message.search?input=${input}`, { headers: { authorization: `Bearer ${token}` } }),
    fetch(`${url}/trpc/message.send`, { method: 'POST', headers, body: `{"body":"${PLANT}` }),
    fetch(`${url}/dev/token`, { method: 'POST', body: `{"name": ${PLANT}` }),
  ];
  for (const answer of await Promise.allSettled(tries)) {
    if (answer.status === 'fulfilled') await answer.value.body?.cancel();
  }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token: wrong, protocol: '1' } }));
  socket.send(`{"id":1,"method":"mutation","params":{"path":"message.send","input":{"body":"${PLANT}"`);
  await new Promise((resolve) => socket.addEventListener('close', resolve));
}

const said = () => [...cluster.apis, ...cluster.workers].map((app) => app.output()).join('');

it('[LOGS-3] what users say and prove themselves by is in no line, at the lowest level, whatever fails', async () => {
  const [api] = cluster.apis;
  if (!api) throw new Error('no api');
  const sign = await signIn(api.url, `somebody ${randomUUID()}`);
  await using user = new StockUser('somebody', sign, () => api.url);
  const { id: channelId } = await user.client.channel.create.mutate({ kind: 'group', name: 'one', memberIds: [] });
  await user.watch(channelId);
  const { ticket } = await user.client.session.ticket.mutate();
  await say(user, channelId);
  await knock(api.url, sign.token);
  const { port } = cluster.log;
  // Lines that cannot be read, on every topic that somebody listens to.
  for (const [topic] of (await ask(port, 'PUBSUB CHANNELS *')).matchAll(/^[^*$\r\n]\S*/gm)) {
    for (const line of [PLANT, `1 R 1-1 1 1 ${PLANT}`, `1 D 1-1 1 1 ["${PLANT}"`]) {
      await ask(port, `PUBLISH ${topic} "${line.replaceAll('"', '\\"')}"`);
    }
  }
  // Redis refuses with an error that holds the command, and in it the message.
  for (let tries = 0; tries < 10 && !said().includes('OOM command'); tries++) {
    await ask(port, 'CONFIG SET maxmemory 1');
    await say(user, channelId);
    await ask(port, 'CONFIG SET maxmemory 0');
    // The api looks each second whether the log has room, and asks it no more when it has none.
    await sleep(1_200);
  }
  await ask(port, 'SCRIPT FLUSH');
  await say(user, channelId);
  for (const store of [cluster.cache, cluster.postgres, cluster.log]) {
    const stopped = store.kill();
    await Promise.all([stopped, say(user, channelId), knock(api.url, sign.token)]);
    await store.restart();
    await say(user, channelId);
  }
  await expect.poll(() => said().includes('redis connection is back'), { timeout: 30_000 }).toBe(true);

  const lines = said();
  // Control: what failed is written down, and of whom and what.
  expect(lines).toMatch(/OOM command .*"code":"BACKPRESSURE".*"msg":"a call was refused"/);
  expect(lines).toContain('a publication cannot be read');
  expect(lines).toContain(channelId);
  expect(lines).toContain(user.userId);
  for (const secret of [PLANT, sign.token, ticket, cluster.env.AUTH_SECRET]) expect(secret).toBeTruthy();
  const leaks = lines
    .split('\n')
    .filter((line) =>
      [PLANT, sign.token, ticket, cluster.env.AUTH_SECRET ?? PLANT].some((secret) => line.includes(secret)),
    );
  expect(leaks).toEqual([]);
}, 240_000);
