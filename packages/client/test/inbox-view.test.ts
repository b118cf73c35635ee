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

test('[CLIENT-63] mentions are counted by channel and listed until they are read', () => {
  snapshot([channel('a', { mentions: 2, unread: 5 })]);
  const meant = (position: `${number}-${number}`) =>
    tell({ type: 'mention', channelId: 'a', at: 1, message: messageAt(position, { channelId: 'a' }) });
  for (const position of ['5-1', '5-3', '5-3'] as const) meant(position);
  const seen = () => inbox.store.getSnapshot();
  expect(seen().mentions.map(({ position }) => position)).toEqual(['5-3', '5-1']);
  tell({ type: 'read', channelId: 'a', at: 1, readTo: '5-2', unread: 2, mentions: 1 });
  expect(seen().mentions.map(({ position }) => position)).toEqual(['5-3']);
  expect(seen().channels[0]).toMatchObject({ unread: 2, mentions: 1 });
  // An api of before tells no mentions: nothing is known of them while anything is unread.
  tell({ type: 'read', channelId: 'a', at: 1, readTo: '5-2', unread: 1 });
  expect(seen().channels[0]).toMatchObject({ unread: 1, mentions: 1 });
  tell({ type: 'read', channelId: 'a', at: 1, readTo: '5-3', unread: 0 });
  expect(seen().mentions).toEqual([]);
  expect(seen().channels[0]).toMatchObject({ unread: 0, mentions: 0 });
});

test('[CLIENT-63] invitations are there from the beginning and until one has come in; announcements until they are dismissed', async () => {
  const invitation = { channel: channel('old'), invitedBy: 'ada', invitedAt: 1 };
  api.handlers['channel.invitations'] = () => [invitation];
  snapshot([]);
  await settle();
  tell({ type: 'channel.invited', channelId: 'new', at: 2, channel: channel('new'), invitedBy: 'ben' });
  const seen = () => inbox.store.getSnapshot();
  expect(seen().invitations.map((each) => [each.channel.id, each.invitedBy])).toEqual([
    ['new', 'ben'],
    ['old', 'ada'],
  ]);
  tell({ type: 'channel.added', channelId: 'old', at: 3, channel: channel('old') });
  expect(seen().invitations.map((each) => each.channel.id)).toEqual(['new']);
  tell({ type: 'announcement', at: 4, announcementId: 'x', text: 'back at five' });
  tell({ type: 'announcement', at: 4, announcementId: 'x', text: 'back at five' });
  expect(seen().announcements).toEqual([{ announcementId: 'x', text: 'back at five', at: 4 }]);
  inbox.dismissAnnouncement('x');
  expect(seen().announcements).toEqual([]);
});

test('[CLIENT-63] muting is shown at once and taken back when it fails', async () => {
  snapshot([channel('a')]);
  const isMuted = () => inbox.store.getSnapshot().channels[0]?.muted;
  const failing = inbox.mute('a', clock.now() + 1_000);
  expect(isMuted()).toBe(true);
  await expect(failing).rejects.toThrow();
  expect(isMuted()).toBe(false);
  api.handlers['channel.mute'] = ({ until }) => ({ muted: true, until });
  await inbox.mute('a', clock.now() + 1_000);
  expect(isMuted()).toBe(true);
});

test('[CLIENT-63] who comes and goes is one look at the channel; what the feed counted meanwhile holds', async () => {
  let looks = 0;
  snapshot([channel('a', { unread: 1 })]);
  api.handlers['channel.get'] = () => {
    looks += 1;
    return channel('a', { memberCount: 9, role: 'admin', unread: 1 });
  };
  for (let i = 0; i < 5; i += 1) inbox.refresh('a');
  const activity = { channelId: 'a', at: 1, head: '5-2', unread: 2, mentions: 0 } as const;
  tell({ type: 'channel.activity', ...activity, lastMessage: messageAt('5-2') });
  await clock.advance(1_000);
  expect(looks).toBe(1);
  expect(inbox.store.getSnapshot().channels[0]).toMatchObject({ memberCount: 9, role: 'admin', unread: 2 });
});
