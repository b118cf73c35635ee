import type { ChannelSummary, InboxEvent } from '@parley/protocol';
import { beforeEach, expect, test } from 'vitest';
import { InboxView } from '../src/inbox/inbox-view.ts';
import { People } from '../src/people.ts';
import { FakeApi, lostSocket, messageAt } from './fake-server.ts';
import { ManualClock, settle } from './manual-clock.ts';

const channel = (id: string, more: Partial<ChannelSummary> = {}): ChannelSummary => ({
  id,
  kind: 'group',
  name: id,
  topic: null,
  avatarUrl: null,
  encrypted: false,
  memberCount: 2,
  createdAt: 1,
  archivedAt: null,
  role: 'member',
  head: null,
  readTo: null,
  unread: 0,
  mentions: 0,
  lastMessage: null,
  members: [],
  muted: false,
  ...more,
});
const saidAt = (sentAt: number) => ({ lastMessage: messageAt('5-1', { sentAt }) });

let api: FakeApi;
let clock: ManualClock;
let inbox: InboxView;
const tell = (event: InboxEvent) => api.inboxFeeds.at(-1)?.observer.onEvent('x-1', event);
const ids = () => inbox.store.getSnapshot().channels.map((each) => each.id);
const snapshot = (channels: ChannelSummary[]) =>
  tell({ type: 'snapshot', at: 1, channels, serverTime: 1, protocol: 1 });

beforeEach(() => {
  api = new FakeApi();
  clock = new ManualClock();
  const parts = { api, clock, random: () => 0.5, onProblem: () => undefined };
  inbox = new InboxView({ ...parts, people: new People(parts), onEvent: () => undefined });
  inbox.run();
});

test('[CLIENT-21] channels stand with the newest activity first, and move when something is said', () => {
  snapshot([channel('a', saidAt(10)), channel('b', saidAt(20)), channel('new', { createdAt: 15 })]);
  expect(ids()).toEqual(['b', 'new', 'a']);
  const activity = { channelId: 'a', at: 1, head: '5-2', unread: 3, mentions: 0 } as const;
  tell({ type: 'channel.activity', ...activity, lastMessage: messageAt('5-2', { sentAt: 30 }) });
  expect(ids()).toEqual(['a', 'b', 'new']);
  expect(inbox.store.getSnapshot().channels[0]?.unread).toBe(3);
});

test('[CLIENT-21] channels come, go and are read elsewhere', () => {
  snapshot([channel('a', { unread: 4 })]);
  tell({ type: 'channel.added', channelId: 'b', at: 1, channel: channel('b', saidAt(5)) });
  tell({ type: 'read', channelId: 'a', at: 1, readTo: '5-4', unread: 0 });
  expect(ids()).toEqual(['b', 'a']);
  expect(inbox.store.getSnapshot().channels[1]).toMatchObject({ unread: 0, readTo: '5-4' });
  tell({ type: 'channel.removed', channelId: 'b', at: 1, reason: 'removed' });
  expect(ids()).toEqual(['a']);
});

test('[CLIENT-21] a channel that was not in the snapshot is fetched when something is said in it', async () => {
  api.handlers['channel.get'] = ({ channelId }) => channel(channelId, saidAt(50));
  snapshot([channel('a')]);
  tell({
    type: 'channel.activity',
    channelId: 'old',
    at: 1,
    head: '5-2',
    unread: 1,
    mentions: 0,
    lastMessage: messageAt('5-2'),
  });
  await settle();
  expect(ids()).toEqual(['old', 'a']);
});

test('[CLIENT-21] every snapshot replaces what was there before', async () => {
  snapshot([channel('a'), channel('b')]);
  api.inboxFeeds[0]?.observer.onEnd(lostSocket());
  await clock.advance(1_000);
  snapshot([channel('b')]);
  expect(ids()).toEqual(['b']);
});

test('[CLIENT-21] stores that the server lives without are named until they are back', () => {
  snapshot([]);
  tell({ type: 'degraded', at: 1, store: 'postgres', since: 1 });
  tell({ type: 'degraded', at: 2, store: 'postgres', since: 1 });
  expect(inbox.store.getSnapshot().degraded).toEqual(['postgres']);
  tell({ type: 'recovered', at: 3, store: 'postgres' });
  expect(inbox.store.getSnapshot().degraded).toEqual([]);
});
