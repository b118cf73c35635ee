import type { ChannelEvent, InboxEvent, Input } from '@parley/protocol';
import { beforeEach, expect, test } from 'vitest';
import { ChatClient } from '../src/chat-client.ts';
import type { ConnectionState } from '../src/connection/connection-status.ts';
import { memoryOutboxStorage, type OutboxStorage } from '../src/outbox/storage.ts';
import { createStore, type WritableStore } from '../src/store.ts';
import { FakeApi, FakeLog, lostSocket, messageAt } from './fake-server.ts';
import { ManualClock, settle } from './manual-clock.ts';

let api: FakeApi;
let clock: ManualClock;
let server: FakeLog;
let storage: OutboxStorage;
let client: ChatClient;
let proofs: number;
let status: WritableStore<ConnectionState>;

const snapshot: InboxEvent = { type: 'snapshot', at: 1, channels: [], serverTime: 1, protocol: 1 };
const tellInbox: FakeApi['inboxFeeds'][number]['observer']['onEvent'] = (id, event) =>
  api.inboxFeeds.at(-1)?.observer.onEvent(id, event);

beforeEach(async () => {
  api = new FakeApi();
  clock = new ManualClock();
  server = new FakeLog();
  storage = memoryOutboxStorage();
  proofs = 0;
  status = createStore<ConnectionState>({ status: 'connecting', closeCode: null, reason: null });
  let ids = 0;
  api.handlers['message.send'] = (input) => server.send(input);
  api.handlers['message.page'] = () => ({ items: [messageAt('5-9')], hasBefore: false, hasAfter: false });
  api.handlers['user.me'] = () => ({
    id: 'me',
    name: 'Me',
    avatarUrl: null,
    status: 'online',
    statusText: null,
    lastSeenAt: null,
  });
  client = new ChatClient({
    api,
    connection: {
      state: status,
      proven: () => {
        proofs += 1;
      },
      stop: () => undefined,
    },
    outboxStorage: storage,
    clock,
    random: () => 0.5,
    newId: () => `m${++ids}`,
    onProblem: () => undefined,
  });
  await client.run();
});

const stored = async () => (await storage.load()).map((entry) => entry.id);

test('[CLIENT-2] without any open channel, the inbox tells the outbox what is persisted', async () => {
  client.send('c', 'one');
  client.send('c', { body: 'two' });
  await settle();
  expect(await stored()).toEqual(['m1', 'm2']);
  tellInbox('x-1', { type: 'message.persisted', channelId: 'c', at: 1, upTo: '5-1', holes: [] });
  await settle();
  expect(await stored()).toEqual(['m2']);
  tellInbox('x-2', { type: 'message.superseded', channelId: 'c', at: 1, position: '5-2', by: '4-1' });
  await settle();
  expect(await stored()).toEqual([]);
});

test('[CLIENT-7] a snapshot proves the connection, and what waited goes at once', async () => {
  api.handlers['message.send'] = () => Promise.reject(lostSocket());
  client.send('c', 'one');
  await clock.advance(40_000);
  api.handlers['message.send'] = (input) => server.send(input);
  tellInbox('x-1', snapshot);
  await settle();
  expect(proofs).toBe(1);
  expect(server.calls).toHaveLength(1);
  expect(client.me.getSnapshot()?.id).toBe('me');
});

test('[CLIENT-15] a channel that is open twice has one feed, which ends with the last', async () => {
  const first = client.openChannel('c');
  const second = client.openChannel('c');
  expect(api.channelFeeds).toHaveLength(1);
  first.close();
  first.close();
  expect(api.channelFeeds[0]?.isOpen).toBe(true);
  second.close();
  expect(api.channelFeeds[0]?.isOpen).toBe(false);
});

test('[CLIENT-20] what is shown of an open channel is read', async () => {
  const read: Input<'receipt.read'>[] = [];
  api.handlers['receipt.read'] = (input) => {
    read.push(input);
    return { readTo: input.position, unread: 0 };
  };
  tellInbox('x-1', snapshot);
  client.openChannel('c');
  client.markRead('c');
  const opened: ChannelEvent = {
    type: 'opened',
    channelId: 'c',
    at: 1,
    epoch: 5,
    head: '5-9',
    persistedTo: null,
    holes: [],
    resumed: false,
  };
  api.channelFeeds[0]?.observer.onEvent('5-9', opened);
  await settle();
  client.markRead('c');
  await clock.advance(1_000);
  expect(read).toEqual([{ channelId: 'c', position: '5-9' }]);
});

test('a channel whose making had an unknown outcome is asked for again by the same clientId', async () => {
  const asked: (string | undefined)[] = [];
  api.handlers['channel.create'] = ({ clientId }) => {
    asked.push(clientId);
    throw lostSocket();
  };
  const made = client.createChannel({ kind: 'group', memberIds: [] });
  const outcome = expect(made).rejects.toThrow();
  await clock.advance(60_000);
  await outcome;
  expect(asked).toEqual(Array(5).fill('m1'));
});

test('[CLIENT-11] signing out ends every feed and leaves nothing', async () => {
  client.openChannel('c');
  client.send('c', 'one');
  await settle();
  await client.signOut();
  expect([...api.channelFeeds, ...api.inboxFeeds].some((feed) => feed.isOpen)).toBe(false);
  expect(await stored()).toEqual([]);
});

test('[CLIENT-64] what an open channel tells is known everywhere: its name, who is in it, how they are, what has arrived', async () => {
  const told: string[] = [];
  const channel = { id: 'c', kind: 'group', name: 'old', topic: null, avatarUrl: null, encrypted: false } as const;
  const summary = { ...channel, memberCount: 1, createdAt: 1, archivedAt: null, role: 'member', head: null } as const;
  const counts = { readTo: null, unread: 0, mentions: 0, lastMessage: null, members: [], muted: false };
  api.handlers['receipt.delivered'] = ({ position }) => {
    told.push(position);
    return { readTo: null, unread: 0 };
  };
  api.handlers['channel.get'] = () => ({ ...summary, ...counts, name: 'new', memberCount: 2 });
  api.handlers['presence.get'] = ({ userIds }) =>
    userIds.map((userId) => ({ userId, status: 'offline', lastSeenAt: null }));
  tellInbox('x-1', { ...snapshot, channels: [{ ...summary, ...counts }] });
  client.openChannel('c');
  client.watchPresence(['ada']);
  await clock.advance(100);
  const tell = (event: ChannelEvent) => api.channelFeeds[0]?.observer.onEvent('5-1', event);
  const inChannel = { channelId: 'c', at: 1, position: '5-1' } as const;
  tell({
    type: 'channel.updated',
    ...inChannel,
    channel: { ...channel, name: 'new', memberCount: 1, createdAt: 1, archivedAt: null },
  });
  expect(client.inbox.getSnapshot().channels[0]?.name).toBe('new');
  tell({ type: 'presence.changed', channelId: 'c', at: 1, userId: 'ada', status: 'busy', lastSeenAt: 2 });
  expect(client.presence.getSnapshot().get('ada')).toEqual({ status: 'busy', lastSeenAt: 2 });
  const user = {
    id: 'ben',
    name: 'Ben',
    avatarUrl: null,
    status: 'online',
    statusText: null,
    lastSeenAt: null,
  } as const;
  const member = { userId: 'ben', role: 'member', joinedAt: 1, user, deliveredTo: null, readTo: null } as const;
  tell({ type: 'member.joined', ...inChannel, member });
  tell({ type: 'message.created', channelId: 'c', at: 1, message: messageAt('5-2') });
  await clock.advance(3_000);
  expect(client.people.getSnapshot().get('ben')?.name).toBe('Ben');
  expect(client.inbox.getSnapshot().channels[0]?.memberCount).toBe(2);
  expect(told).toEqual(['5-2']);
});

test('[CLIENT-61] a message that is sent ends the typing before it', async () => {
  const told: boolean[] = [];
  api.handlers['typing.set'] = ({ typing }) => {
    told.push(typing);
    return { expiresInMs: 3_000 };
  };
  client.typing('c');
  expect(told).toEqual([]);
  status.set({ status: 'connected', closeCode: null, reason: null });
  client.typing('c');
  client.send('c', 'one');
  client.typing('c', false);
  client.typing('c');
  expect(told).toEqual([true, true]);
});
