import { setTimeout as sleep } from 'node:timers/promises';
import type { EphemeralBroker, EphemeralTopic, Presence } from '@parley/domain';
import { createLog, createMetrics, systemClock } from '@parley/runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { createEphemeralHub, type EphemeralHub } from '../src/ephemeral/ephemeral-hub.ts';
import { openChannelFeed } from '../src/feeds/channel-feed.ts';
import { Reader, Room, settle } from './feed-reader.ts';
import { ANN, BOB, CHANNEL, World } from './feed-world.ts';

const EVE = 'e0000000-0000-4000-8000-000000000000';
const running: EphemeralHub[] = [];
afterEach(async () => {
  for (const hub of running.splice(0)) await hub.stop();
});

/** A node of a world, with what is told beside the log. */
async function scene(options: { typingTtlMs?: number; membersMax?: number; members?: string[] } = {}) {
  const world = new World(options.members ?? [ANN, BOB]);
  const { hub } = world.node();
  const topics = new Map<string, number>();
  const named = (topic: EphemeralTopic) => (topic === 'presence' ? topic : topic.typingIn);
  const broker: EphemeralBroker = {
    listen: (topic) => {
      topics.set(named(topic), (topics.get(named(topic)) ?? 0) + 1);
      return () => topics.set(named(topic), (topics.get(named(topic)) ?? 0) - 1);
    },
  };
  const presences = new Map<string, Presence['status']>();
  let reads = 0;
  const ephemeral = createEphemeralHub({
    hub,
    presences: {
      forget: async () => undefined,
      of: async (userIds) =>
        userIds.map((userId) => {
          const status = presences.get(userId) ?? 'offline';
          return { userId, status, text: null, lastSeenAt: 1, holdsForMs: null };
        }),
    },
    views: {
      members: async (_, most) => {
        reads++;
        const { header } = world;
        if (!header) return null;
        const userIds = [...header.ranks.keys()];
        const { epoch, n } = header.head;
        return { head: { epoch, n }, count: userIds.length, userIds: userIds.length > most ? [] : userIds };
      },
    },
    membersMax: options.membersMax ?? 100,
    typingTtlMs: options.typingTtlMs ?? 3_000,
    presenceTtlMs: 300_000,
    clock: systemClock,
    logger: createLog({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
  });
  ephemeral.connect(broker);
  ephemeral.run();
  running.push(ephemeral);
  const open = openChannelFeed({ ...world.deps, hub, ephemeral });
  const follow = async (room?: Room) => {
    const session = { userId: BOB, name: 'Bob' };
    const reader = new Reader((signal) => open(session, { channelId: CHANNEL }, signal), room);
    if (!room) await reader.until(() => reader.events.length === 1);
    return reader;
  };
  return {
    world,
    hub,
    ephemeral,
    topics,
    follow,
    reads: () => reads,
    types: (userId: string, typing = true, after: string | null = world.head) =>
      ephemeral.typing(CHANNEL, JSON.stringify({ userId, typing, after })),
    becomes: (userId: string, status: Presence['status']) => {
      presences.set(userId, status);
      ephemeral.presence(JSON.stringify([{ userId, status, lastSeenAt: 1, holdsForMs: null }]));
    },
  };
}

const typed = (reader: Reader) =>
  reader.events.flatMap(({ event }) => (event.type === 'typing.changed' ? [`${event.userId[0]} ${event.typing}`] : []));
const seen = (reader: Reader) =>
  reader.events.flatMap(({ event }) =>
    event.type === 'presence.changed' ? [`${event.userId[0]} ${event.status}`] : [],
  );

describe('typing in a channel', () => {
  test('[TYPE-4] is told once, however often it is repeated, and ends by itself though nobody says so', async () => {
    const { follow, types, ephemeral } = await scene({ typingTtlMs: 300 });
    const reader = await follow();
    types(ANN);
    for (let i = 0; i < 5; i++) {
      await sleep(100);
      types(ANN);
    }
    expect(typed(reader)).toEqual(['a true']);
    await reader.until(() => typed(reader).length === 2);
    expect(typed(reader)).toEqual(['a true', 'a false']);
    types(BOB);
    types(BOB, false);
    await reader.until(() => typed(reader).at(-1) === 'b false');
    expect(ephemeral.size.typists).toBe(0);
    await reader.leave();
  });

  test('[TYPE-5] ends with the message that he sends, in the same step; of others nothing ends', async () => {
    const { world, follow, types } = await scene();
    const reader = await follow();
    types(ANN);
    types(BOB);
    await reader.until(() => typed(reader).length === 2);
    const position = world.send('hello');
    await reader.until(() => typed(reader).length === 3);
    expect(reader.types().slice(-2)).toEqual(['message.created', 'typing.changed']);
    expect(typed(reader)).toEqual(['a true', 'b true', 'a false']);
    // As every event that is not durable, it repeats the last id that is.
    expect(reader.events.at(-1)?.id).toBe(position);
    await reader.leave();
  });

  test('[TYPE-5] what was said before a message, and comes after it, is too late', async () => {
    const { world, follow, types } = await scene();
    const reader = await follow();
    const before = world.head;
    world.send('hello');
    await reader.until(() => reader.bodies().length === 1);
    types(ANN, true, before);
    types(ANN, true, null);
    await settle();
    expect(typed(reader)).toEqual([]);
    types(ANN);
    await reader.until(() => typed(reader).length === 1);
    await reader.leave();
  });

  test('[TYPE-6] a slow reader gets the latest of each user, once', async () => {
    const { follow, types } = await scene();
    const room = new Room();
    const reader = await follow(room);
    await settle();
    await sleep(20);
    for (let i = 0; i < 100; i++) {
      types(ANN);
      types(ANN, false);
    }
    types(BOB);
    room.open();
    await reader.until(() => typed(reader).includes('b true'));
    expect(typed(reader)).toEqual(['a false', 'b true']);
    await reader.leave();
  });

  test('[TYPE-7] what cannot be read harms nothing, and a member who left does not go on typing', async () => {
    const { world, follow, types, ephemeral } = await scene();
    const reader = await follow();
    for (const junk of ['', 'null', '{}', '[]', '{"userId":1,"typing":true}']) {
      ephemeral.typing(CHANNEL, junk);
      ephemeral.presence(junk);
    }
    types(ANN);
    await reader.until(() => typed(reader).length === 1);
    world.leave(ANN);
    await reader.until(() => typed(reader).length === 2);
    expect(typed(reader)).toEqual(['a true', 'a false']);
    await reader.leave();
  });
});

describe('who is here', () => {
  test('[PRES-13] members alone are told of, also those who come later, and nobody who left', async () => {
    const { world, follow, becomes } = await scene();
    const reader = await follow();
    becomes(ANN, 'online');
    becomes(EVE, 'online');
    await reader.until(() => seen(reader).length === 1);
    world.join(EVE);
    // She was online before.
    await reader.until(() => seen(reader).length === 2);
    becomes(EVE, 'away');
    await reader.until(() => seen(reader).length === 3);
    world.leave(ANN);
    await reader.until(() => reader.types().includes('member.left'));
    becomes(ANN, 'offline');
    becomes(EVE, 'busy');
    await reader.until(() => seen(reader).length === 4);
    expect(seen(reader)).toEqual(['a online', 'e online', 'e away', 'e busy']);
    expect(reader.events.at(-1)?.id).toBe(world.head);
    await reader.leave();
  });

  test('[PRES-14] above the greatest number of members nobody is told of, and below it all are again', async () => {
    const { world, follow, becomes, ephemeral, reads } = await scene({ membersMax: 2 });
    const reader = await follow();
    expect(ephemeral.size.users).toBe(2);
    world.join(EVE);
    await reader.until(() => reader.types().includes('member.joined'));
    expect(ephemeral.size.users).toBe(0);
    becomes(ANN, 'online');
    await sleep(1_200);
    expect(seen(reader)).toEqual([]);
    world.leave(EVE);
    await reader.until(() => ephemeral.size.users === 2);
    expect(reads()).toBe(2);
    becomes(ANN, 'busy');
    await reader.until(() => seen(reader).length === 1);
    await reader.leave();
  });

  test('[PRES-15] members who came and went unheard are known after the next look', async () => {
    const { world, hub, follow, becomes, ephemeral } = await scene();
    const reader = await follow();
    world.loses = () => true;
    world.failOver();
    world.load();
    world.join(EVE);
    await hub.compare();
    await reader.until(() => reader.types().includes('member.joined') || ephemeral.size.users === 3);
    await reader.until(() => ephemeral.size.users === 3);
    becomes(EVE, 'online');
    await reader.until(() => seen(reader).includes('e online'));
    await reader.leave();
  });
});

test('[TYPE-3] [PRES-10] the last feed of a channel takes everything with it, in whatever state it leaves', async () => {
  const { hub, ephemeral, follow, types, topics } = await scene();
  const readers = [await follow(), await follow(), await follow()];
  expect(topics.get(CHANNEL)).toBe(1);
  types(ANN);
  await readers[0]?.until((reader) => typed(reader).length === 1);
  for (const reader of readers) await reader.leave();
  expect(ephemeral.size).toEqual({ channels: 0, users: 0, typists: 0 });
  expect(topics.get(CHANNEL)).toBe(0);
  expect(hub.size).toEqual({ channels: 0, listeners: 0 });
  // Some that leave while they are being opened.
  for (let turns = 0; turns < 12; turns++) {
    const reader = await follow(new Room());
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await reader.leave();
  }
  await settle();
  expect(ephemeral.size).toEqual({ channels: 0, users: 0, typists: 0 });
  expect(topics.get(CHANNEL)).toBe(0);
  expect(hub.size).toEqual({ channels: 0, listeners: 0 });
});
