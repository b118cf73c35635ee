import { buildBatch, decodeEntry, formatPlace, type LogPlace, partitionOf, type WritableEntry } from '@parley/domain';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openEpoch, openFixture, uuid } from './fixture.ts';

let fixture: Fixture;
let epoch: number;
beforeAll(async () => {
  fixture = await openFixture();
  epoch = await openEpoch(fixture.store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const MESSAGES = 3;
const USERS = 3;
let channels = 0;

interface Step {
  readonly what: 'say' | 'edit' | 'delete' | 'react' | 'name';
  readonly message: number;
  readonly user: number;
  readonly flag: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('say', 'say', 'edit', 'delete', 'react', 'react', 'name'),
  message: fc.nat(MESSAGES - 1),
  user: fc.nat(USERS - 1),
  flag: fc.boolean(),
});

/** A channel's log as the scripts would write it: every change says the whole. `scope` keeps the ids of two channels apart. */
function linesOf(channelId: string, scope: number, steps: readonly Step[]): string[] {
  const id = (message: number) => uuid('message', scope * 100 + message);
  const users = Array.from({ length: USERS }, (_, user) => uuid('user', user));
  const reacted = new Set<string>();
  const states = new Map<number, { body: string; editedAt: number | null; deletedAt: number | null }>();
  let [n, m] = [0, 0];
  return steps.flatMap(({ what, message, user, flag }) => {
    const known = states.get(message);
    if (what === 'name' ? false : what === 'say' ? known : !known || known.deletedAt !== null) return [];
    // As the script: what is so already takes no entry.
    if (what === 'react' && reacted.has(`${message} ${user}`) === flag) return [];
    n++;
    if (what === 'say') m++;
    const place: LogPlace = { epoch, n, m, at: 1_000 + n };
    const state = { body: '', editedAt: null, deletedAt: null, ...known };
    const common = {
      id: uuid('operation', scope * 10_000 + n),
      channelId,
      actorId: users[user],
      messageId: id(message),
    };
    const line = (kind: string, payload: object) => [`1 ${kind} ${formatPlace(place)} ${JSON.stringify(payload)}`];
    switch (what) {
      case 'say': {
        states.set(message, { ...state, body: `said ${n}` });
        const names = { id: id(message), clientMsgId: uuid('client', scope * 100 + message), senderId: users[user] };
        const rest = { replyTo: null, threadOf: null, attachmentIds: [], mentions: users, encrypted: null };
        return line('c', { ...names, channelId, body: `said ${n}`, ...rest });
      }
      case 'name': {
        const named = { name: `name ${n}`, topic: null, avatarUrl: null, archivedAt: flag ? n : null };
        return line('h', { state: named, version: n + 1, memberCount: 1, ...common, channel: {} });
      }
      case 'react':
        if (flag) reacted.add(`${message} ${user}`);
        else reacted.delete(`${message} ${user}`);
        return line('r', { state, ...common, reaction: { emoji: '👍', added: flag } });
      default: {
        const next = what === 'edit' ? { body: `edited ${n}`, editedAt: n } : { body: '', deletedAt: n };
        states.set(message, { ...state, ...next });
        return line(what === 'edit' ? 'e' : 'd', { state: { ...state, ...next }, ...common });
      }
    }
  });
}

async function commit(entries: readonly WritableEntry[]): Promise<void> {
  const cursors = new Map((await fixture.store.drain.cursors()).map((cursor) => [cursor.partition, cursor]));
  const { moved } = await fixture.store.drain.commit(buildBatch(entries, cursors));
  expect(moved.size).toBe(1);
}

/** What Postgres has of a channel, without what names it. */
async function stored(channelId: string) {
  const of = (sql: string) => fixture.sql(sql, [channelId]);
  return {
    messages: await of('select n, m, body, edited_at, deleted_at from messages where channel_id = $1 order by n'),
    reactions: await of(
      `select m.n, r.user_id, r.emoji, r.at from reactions r join messages m on m.id = r.message_id
        where r.channel_id = $1 order by m.n, r.user_id, r.emoji`,
    ),
    mentions: await of('select user_id, n from mentions where channel_id = $1 order by n, user_id'),
    changes: await of('select n, kind from log_change where channel_id = $1 order by n'),
    channel: await of('select name, topic, archived_at, version from channels where id = $1'),
  };
}

async function write(steps: readonly Step[], together: boolean) {
  const scope = ++channels;
  const channelId = uuid('channel', scope);
  await fixture.sql(
    `insert into channels (id, kind, name, member_limit, created_at) values ($1, 'group', 'first', 10, 1)`,
    [channelId],
  );
  const partition = partitionOf(channelId);
  const cursor = (await fixture.store.drain.cursors()).find((each) => each.partition === partition);
  const first = cursor?.readEpoch === epoch ? cursor.readK + 1 : 0;
  const entries = linesOf(channelId, scope, steps).map((line, i) =>
    decodeEntry({ partition, epoch, k: first + i, line }),
  );
  const writable = entries.filter((entry) => entry.type !== 'newer');
  expect(writable.filter((entry) => entry.type === 'rejected')).toEqual([]);
  if (writable.length === 0) return stored(channelId);
  if (together) await commit(writable);
  else for (const entry of writable) await commit([entry]);
  return stored(channelId);
}

describe('changes written together', () => {
  it('[EDIT-7] leave a message and a channel as if each had been written by itself', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20 }), async (steps) => {
        expect(await write(steps, true)).toEqual(await write(steps, false));
      }),
      { numRuns: 60 },
    );
  });

  it('a mention by a twin is none, and nobody mentions himself', async () => {
    const say = (message: number): Step => ({ what: 'say', message, user: 0, flag: true });
    const { mentions } = await write([say(0)], true);
    expect(mentions.map((row) => row.user_id)).toEqual([uuid('user', 1), uuid('user', 2)]);
  });
});
