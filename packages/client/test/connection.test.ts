import { initTRPC, tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { type ChatClient, createChatClient } from '../src/index.ts';

const t = initTRPC.context<{ token: string }>().create();
const me = { id: 'me', name: 'Me', avatarUrl: null, status: 'online', statusText: null, lastSeenAt: null };

let server: WebSocketServer;
let client: ChatClient;
let tokens: string[];
let lastEventIds: unknown[];
let closeAtOnceWith: number | null;

const router = t.router({
  user: t.router({ me: t.procedure.query(() => me) }),
  feed: t.router({
    inbox: t.procedure.subscription(async function* ({ signal }) {
      yield tracked('i-1', { type: 'snapshot', at: 1, channels: [], serverTime: 1, protocol: 1 });
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    }),
    channel: t.procedure
      .input((input: unknown) => input as { lastEventId?: string })
      .subscription(async function* ({ input, signal }) {
        lastEventIds.push(input.lastEventId);
        yield tracked('5-3', { type: 'resync', channelId: 'c', at: 1, reason: 'behind', head: '5-3' });
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      }),
  }),
});

beforeEach(async () => {
  tokens = [];
  lastEventIds = [];
  closeAtOnceWith = null;
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket) => closeAtOnceWith && socket.close(closeAtOnceWith));
  applyWSSHandler({
    wss: server,
    router,
    createContext: ({ info }) => {
      const token = info.connectionParams?.token ?? '';
      tokens.push(`${token} v${info.connectionParams?.protocol}`);
      return { token };
    },
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  let made = 0;
  client = createChatClient({
    url: `ws://127.0.0.1:${address.port}/trpc`,
    getToken: async () => `token-${++made}`,
    random: () => 0.05,
  });
});

afterEach(() => {
  client.stop();
  for (const socket of server.clients) socket.terminate();
  server.close();
});

const status = () => client.connection.getSnapshot().status;
const until = (wanted: string) => vi.waitFor(() => expect(status()).toBe(wanted), { timeout: 10_000 });
const cut = (code: number) => server.clients.forEach((socket) => void socket.close(code));

test('[CLIENT-23] nothing is opened before run; then it is connected once the server answered', async () => {
  expect(server.clients.size).toBe(0);
  await client.run();
  await until('connected');
  await vi.waitFor(() => expect(client.me.getSnapshot()?.name).toBe('Me'));
  expect(tokens).toEqual(['token-1 v1']);
});

test.each([1006, 1012, 4001, 4003, 4008, 4029])(
  '[CLIENT-23] after close code %i it comes back, with a fresh token, and feeds resume',
  async (code) => {
    await client.run();
    await until('connected');
    const channel = client.openChannel('c');
    await vi.waitFor(() => expect(lastEventIds).toEqual([undefined]));
    const seen: string[] = [];
    client.connection.subscribe(() => seen.push(status()));
    if (code === 1006) for (const socket of server.clients) socket.terminate();
    else cut(code);
    await vi.waitFor(() => expect(seen).toEqual(['reconnecting', 'connected']), { timeout: 10_000 });
    await vi.waitFor(() => expect(lastEventIds).toEqual([undefined, '5-3']));
    expect(tokens).toEqual(['token-1 v1', 'token-2 v1']);
    channel.close();
  },
);

test.each([
  [4501, 'UNAUTHENTICATED'],
  [4503, 'REVOKED'],
  [4504, 'PROTOCOL_TOO_OLD'],
] as const)('[CLIENT-24] after close code %i it stays away and says why', async (code, reason) => {
  await client.run();
  await until('connected');
  cut(code);
  await until('stopped');
  expect(client.connection.getSnapshot()).toEqual({ status: 'stopped', closeCode: code, reason });
  await expect(client.call('user.me', {})).rejects.toThrow();
  client.openChannel('c');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(tokens).toHaveLength(1);
});

test('[CLIENT-23] a server that opens the socket and then refuses it is asked less and less often', async () => {
  closeAtOnceWith = 4029;
  let asked = 0;
  server.on('connection', () => {
    asked += 1;
  });
  await client.run();
  await until('offline');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  // Without counting refusals the delay would stay at 25 ms: sixty connections.
  expect(asked).toBeLessThan(15);
  closeAtOnceWith = null;
  await until('connected');
});
