import { comparePositions, formatPosition, type Position, parsePosition } from '@parley/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../src/failure.ts';
import { type FindDeps, getMessage } from '../src/find-message.ts';
import { ENTRY_KINDS } from '../src/log-line.ts';
import type { StoredMessage } from '../src/message-state.ts';
import { type PageDeps, pageMessages } from '../src/page-messages.ts';
import type { ChannelView } from '../src/ports/channel-view.ts';

const EPOCH = 7;

/** An entry of a channel's whole history, oldest first. */
interface Entry {
  readonly position: Position;
  readonly kind: 'message' | 'member' | 'hole';
}

interface Scene {
  readonly entries: readonly Entry[];
  /** How many of them are in Postgres, and how many of the newest are in the window. */
  readonly persisted: number;
  readonly inWindow: number;
}

const idOf = (position: Position) => `id ${position}`;

function message(position: Position, persisted: boolean): StoredMessage {
  const payload = { id: idOf(position), channelId: 'c', clientMsgId: 'x', senderId: 's', body: position };
  const rest = { replyTo: null, threadOf: null, replyCount: 0, reactions: [], attachments: [], mentions: [] };
  return {
    ...payload,
    ...rest,
    position,
    sentAt: 1,
    editedAt: null,
    deletedAt: null,
    encrypted: null,
    persisted,
    reactors: {},
  };
}

function lineOf({ position, kind }: Entry): string {
  const { replyCount, reactions, reactors, attachments, sentAt, position: _, ...payload } = message(position, false);
  return `1 ${kind === 'member' ? ENTRY_KINDS.joined : ENTRY_KINDS.created} ${position} 1 1 ${JSON.stringify(payload)}`;
}

/** Postgres and window over one history: Postgres has a prefix of it, the window a suffix that reaches over its end. */
function deps(scene: Scene, away: { log?: boolean; postgres?: boolean } = {}): PageDeps & FindDeps {
  const { entries, persisted, inWindow } = scene;
  const stored = entries.slice(0, persisted).filter((entry) => entry.kind === 'message');
  const window = entries.slice(entries.length - inWindow);
  const head = entries.at(-1);
  const current = entries.filter((entry) => parsePosition(entry.position).epoch === EPOCH);
  const mark = entries
    .slice(0, persisted)
    .filter((entry) => parsePosition(entry.position).epoch === EPOCH)
    .at(-1);
  const view: ChannelView = {
    epoch: EPOCH,
    head: { epoch: EPOCH, n: current.length, m: 0, at: 0 },
    headPosition: head?.position ?? null,
    base: entries.filter((entry) => parsePosition(entry.position).epoch < EPOCH).at(-1)?.position ?? null,
    persistedN: mark ? parsePosition(mark.position).n : 0,
    holes: current.filter((e) => e.kind === 'hole').map((e) => ({ n: parsePosition(e.position).n, m: 1 })),
    version: 1,
    memberCount: 1,
    archivedAt: null,
    amended: false,
    deleted: [],
    mentions: [],
    rank: 2,
    readTo: null,
    deliveredTo: null,
  };
  const isAway = () => Promise.reject(new Failure('UNAVAILABLE', 'away'));
  const below = (p: Position | null) => (e: Entry) => p === null || comparePositions(e.position, p) < 0;
  const above = (p: Position) => (e: Entry) => comparePositions(e.position, p) > 0;
  const toMessages = (found: readonly Entry[]) => found.map((e) => message(e.position, true));
  return {
    views: {
      views: async () => (away.log ? isAway() : [view]),
      before: async (_, position, limit) => window.filter(below(position)).slice(-limit).map(lineOf),
      after: async (_, position, limit) => window.filter(above(position)).slice(0, limit).map(lineOf),
      states: async (asked) => asked.map(({ ids }) => ids.map(() => null)),
    },
    log: { renew: async () => {}, load: async () => true },
    archive: {
      channel: async () => (away.log ? Object.assign(Object.create(null), { channel: {} }) : null),
      page: async ({ before, after, limit }) => {
        if (away.postgres) return isAway();
        if (after) {
          const found = stored.filter(above(after));
          return { items: toMessages(found.slice(0, limit)), hasBefore: true, hasAfter: found.length > limit };
        }
        const found = stored.filter(below(before ?? null));
        return { items: toMessages(found.slice(-limit)), hasBefore: found.length > limit, hasAfter: false };
      },
      message: async (_, id) => toMessages(stored).find((m) => m.id === id) ?? null,
    },
  };
}

const scenes = fc
  .record({
    old: fc.integer({ min: 0, max: 30 }),
    kinds: fc.array(fc.constantFrom<Entry['kind']>('message', 'message', 'message', 'member', 'hole'), {
      maxLength: 80,
    }),
    unpersisted: fc.nat({ max: 80 }),
    window: fc.nat({ max: 120 }),
  })
  .map(({ old, kinds, unpersisted, window }): Scene => {
    const before = Array.from({ length: old }, (_, i): Entry => ({ position: `3-${i + 1}`, kind: 'message' }));
    const now = kinds.map((kind, i): Entry => ({ position: `${EPOCH}-${i + 1}`, kind }));
    const waiting = Math.min(unpersisted, now.length);
    const entries = [...before, ...now];
    // The window holds at least what is not persisted.
    return {
      entries,
      persisted: entries.length - waiting,
      inWindow: Math.min(entries.length, Math.max(window, waiting)),
    };
  });

const messagesOf = (scene: Scene) => scene.entries.filter((e) => e.kind === 'message').map((e) => e.position);
const positions = (page: { items: { position: Position }[] }) => page.items.map((m) => m.position);

describe('message.page', () => {
  it('[CACHE-34] a channel that began in this epoch and is in the window whole needs no Postgres', async () => {
    const entries = [1, 2, 3].map((n): Entry => ({ position: `${EPOCH}-${n}`, kind: 'message' }));
    const read = (scene: Scene) => pageMessages(deps(scene, { postgres: true }))('u', { channelId: 'c', limit: 20 });
    const page = await read({ entries, persisted: 2, inWindow: 3 });
    expect({ seen: positions(page), hasBefore: page.hasBefore }).toEqual({
      seen: entries.map(({ position }) => position),
      hasBefore: false,
    });
    expect((await read({ entries: [], persisted: 0, inWindow: 0 })).items).toEqual([]);
    // The control: what came before this epoch, or left the window, only Postgres has.
    const older: Entry = { position: '3-1', kind: 'message' };
    expect((await read({ entries: [older, ...entries], persisted: 3, inWindow: 3 })).hasBefore).toBe(true);
    expect((await read({ entries, persisted: 3, inWindow: 2 })).hasBefore).toBe(true);
  });

  it('[PAGE-20] walking back gives every message once, in order, wherever it is kept', async () => {
    const walk = fc.asyncProperty(scenes, fc.integer({ min: 1, max: 25 }), async (scene, limit) => {
      const page = pageMessages(deps(scene));
      const seen: Position[] = [];
      let before: Position | undefined;
      for (;;) {
        const found = await page('u', { channelId: 'c', limit, ...(before && { before }) });
        seen.unshift(...positions(found));
        before = found.items[0]?.position;
        if (!found.hasBefore || before === undefined) break;
      }
      expect(seen).toEqual(messagesOf(scene));
    });
    await fc.assert(walk, { numRuns: 300 });
  });

  it('[PAGE-21] walking forward gives every message once, in order, wherever it is kept', async () => {
    const walk = fc.asyncProperty(scenes, fc.integer({ min: 1, max: 25 }), async (scene, limit) => {
      const page = pageMessages(deps(scene));
      const seen: Position[] = [];
      let after: Position = '0-0';
      for (;;) {
        const found = await page('u', { channelId: 'c', limit, after });
        seen.push(...positions(found));
        after = found.items.at(-1)?.position ?? after;
        if (!found.hasAfter) break;
      }
      expect(seen).toEqual(messagesOf(scene));
    });
    await fc.assert(walk, { numRuns: 300 });
  });

  it('[PAGE-22] around puts the position among its neighbours, none left out', async () => {
    const look = fc.asyncProperty(scenes, fc.nat(), fc.integer({ min: 2, max: 20 }), async (scene, pick, limit) => {
      const all = messagesOf(scene);
      const around = all[pick % Math.max(1, all.length)];
      if (!around) return;
      const found = positions(await pageMessages(deps(scene))('u', { channelId: 'c', limit, around }));
      expect(found).toContain(around);
      const start = all.indexOf(found[0] as Position);
      expect(found).toEqual(all.slice(start, start + found.length));
    });
    await fc.assert(look, { numRuns: 300 });
  });

  const quiet: Scene = {
    entries: Array.from({ length: 40 }, (_, i) => ({
      position: formatPosition({ epoch: EPOCH, n: i + 1 }),
      kind: 'message',
    })),
    persisted: 35,
    inWindow: 40,
  };

  it('[PAGE-23] tells what is persisted by the mark', async () => {
    const { items } = await pageMessages(deps(quiet))('u', { channelId: 'c', limit: 10 });
    expect(items.map((m) => m.persisted)).toEqual([...Array(5).fill(true), ...Array(5).fill(false)]);
  });

  it('[DEG-20] without Postgres the window still serves what it has', async () => {
    const short = { ...quiet, entries: quiet.entries, inWindow: 12 };
    const page = pageMessages(deps(short, { postgres: true }));
    expect((await page('u', { channelId: 'c', limit: 20 })).items).toHaveLength(12);
    await expect(page('u', { channelId: 'c', limit: 20, before: '7-20' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('[DEG-21] without the log store Postgres answers', async () => {
    const { items } = await pageMessages(deps(quiet, { log: true }))('u', { channelId: 'c', limit: 3 });
    expect(positions({ items })).toEqual(['7-33', '7-34', '7-35']);
  });

  it('[PAGE-25] a page that lacks what the log store could have told says so, and no other does', async () => {
    const base = deps(quiet);
    const isAway = () => Promise.reject(new Failure('UNAVAILABLE', 'away'));
    const pageOf = async (views: Partial<PageDeps['views']>, input = {}) =>
      (await pageMessages({ ...base, views: { ...base.views, ...views } })('u', { channelId: 'c', limit: 3, ...input }))
        .persistedOnly;
    const view = async () => (await base.views.views('u', ['c'])).map((seen) => seen && { ...seen, amended: true });
    const alone = pageMessages(deps(quiet, { log: true }));
    expect((await alone('u', { channelId: 'c', limit: 3 })).persistedOnly).toBe(true);
    expect(await pageOf({ before: isAway })).toBe(true);
    expect(await pageOf({ after: isAway }, { after: '7-30' })).toBe(true);
    expect(await pageOf({ after: isAway }, { around: '7-30' })).toBe(true);
    expect(await pageOf({ views: view, states: isAway })).toBe(true);
    expect(await pageOf({ views: view, states: async () => [[]] })).toBeUndefined();
    expect(await pageOf({})).toBeUndefined();
  });

  it('[PAGE-25] a message that the log store may have is not called missing while it is away', async () => {
    const base = deps(quiet);
    const away = { ...base.views, after: () => Promise.reject(new Failure('UNAVAILABLE', 'away')) };
    const get = (messageId: string) => getMessage({ ...base, views: away })('u', { channelId: 'c', messageId });
    expect(await get(idOf('7-3'))).toMatchObject({ persisted: true });
    await expect(get(idOf('7-38'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('a stranger finds nothing', async () => {
    const base = deps(quiet);
    const strange: PageDeps = {
      ...base,
      views: {
        ...base.views,
        views: async () => (await base.views.views('u', ['c'])).map((v) => v && { ...v, rank: null }),
      },
    };
    await expect(pageMessages(strange)('u', { channelId: 'c', limit: 3 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('message.get finds a message before and after it is persisted', async () => {
    const get = getMessage(deps(quiet));
    expect(await get('u', { channelId: 'c', messageId: idOf('7-38') })).toMatchObject({ persisted: false });
    expect(await get('u', { channelId: 'c', messageId: idOf('7-3') })).toMatchObject({ persisted: true });
    await expect(get('u', { channelId: 'c', messageId: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
