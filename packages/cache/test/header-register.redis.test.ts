import { randomUUID } from 'node:crypto';
import { partitionOf } from '@parley/domain';
import { formatPosition, type Position } from '@parley/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisHeaderRegister } from '../src/index.ts';
import { cursorsKey, headerKey, registerKey, windowKey } from '../src/keys.ts';
import { keys, member, type Node, sendThrough, setting, settleAll } from './rig.ts';

const owner = randomUUID();
const reader = randomUUID();
let world: Awaited<ReturnType<typeof setting>>;
let node: Node;
let register: RedisHeaderRegister;
let channelId: string;
let stem: string;

beforeAll(async () => {
  world = await setting(owner, { appendonly: 'no' });
  node = await world.start();
  register = new RedisHeaderRegister({ store: node.store, keys });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => {
  channelId = world.source.add([owner, reader]);
  stem = keys.stemOf(channelId);
});

const exists = (...names: string[]) => node.redis.exists(...names);
const position = (n: number): Position => formatPosition({ epoch: world.ledger.epoch, n });
const later = () => Date.now() + 60_000;

/** Three messages that Postgres has. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 3; i++) await sendThrough(node, channelId, owner);
  await settleAll(node, world.ledger, channelId);
}

describe('[JOB-8] a quiet channel is forgotten', () => {
  it('header and window, when Postgres has its head', async () => {
    await quiet();
    expect(await register.forget(channelId, { head: position(3), quietSinceMs: later() })).toBe('forgotten');
    expect(await exists(headerKey(stem, channelId), windowKey(stem, channelId))).toBe(0);
    expect(await node.redis.zscore(registerKey(stem), channelId)).toBeNull();
    expect(await register.forget(channelId, { head: position(3), quietSinceMs: later() })).toBe('absent');
  });

  it('and comes back whole: its positions go on', async () => {
    await quiet();
    await register.forget(channelId, { head: position(3), quietSinceMs: later() });
    const at = { position: position(3), m: 3, at: Date.now() };
    world.source.channels.set(channelId, {
      version: 1,
      memberLimit: 100,
      holes: [],
      archivedAt: null,
      deleted: [],
      head: at,
      members: [member(owner, { rank: 5 }), member(reader, { unread: 3 })],
    });
    expect((await sendThrough(node, channelId, owner)).place).toMatchObject({ n: 4, m: 4 });
    expect((await register.header(channelId))?.members.get(reader)?.unread).toBe(4);
  });

  it('also when nothing has happened in this epoch, or ever', async () => {
    await node.log.load(channelId);
    expect(await register.forget(channelId, { head: position(1), quietSinceMs: later() })).toBe('moved');
    expect(await register.forget(channelId, { head: null, quietSinceMs: later() })).toBe('forgotten');
    const head = { position: '7-9' as const, m: 9, at: 1_000 };
    channelId = world.source.add([owner], { head });
    await node.log.load(channelId);
    expect(await register.forget(channelId, { head: '7-8', quietSinceMs: later() })).toBe('moved');
    expect(await register.forget(channelId, { head: '7-9', quietSinceMs: later() })).toBe('forgotten');
  });

  it('but not before Postgres has all of it', async () => {
    await quiet();
    await sendThrough(node, channelId, owner);
    expect(await register.forget(channelId, { head: position(3), quietSinceMs: later() })).toBe('moved');
    expect(await exists(headerKey(stem, channelId), windowKey(stem, channelId))).toBe(2);
  });

  it('nor while something happens in it', async () => {
    await quiet();
    expect(await register.forget(channelId, { head: position(3), quietSinceMs: Date.now() - 60_000 })).toBe('moved');
  });

  it('nor while a cursor of it is not in Postgres; one of another channel is in nobody’s way', async () => {
    await quiet();
    await node.views.read({ channelId, userId: reader, position: position(2) });
    const other = randomUUID();
    await node.redis.hset(cursorsKey(stem), `${other} ${reader}`, 'x,x');
    expect(await register.forget(channelId, { head: position(3), quietSinceMs: later() })).toBe('unflushed');
    await node.redis.hdel(cursorsKey(stem), `${channelId} ${reader}`);
    expect(await register.forget(channelId, { head: position(3), quietSinceMs: later() })).toBe('forgotten');
    await node.redis.del(cursorsKey(stem));
  });
});

describe('the register', () => {
  it('knows since when each header is loaded, and when it was looked at', async () => {
    const partition = partitionOf(channelId);
    const nowMs = Date.now();
    await node.log.load(channelId);
    const due = (beforeMs: number) => register.due(partition, { beforeMs, limit: 1_000 });
    expect(await due(nowMs - 60_000)).not.toContain(channelId);
    expect(await due(nowMs + 60_000)).toContain(channelId);
    await register.keep(partition, [channelId], nowMs + 120_000);
    expect(await due(nowMs + 60_000)).not.toContain(channelId);
    expect(await register.sample(partition, 1_000)).toContain(channelId);
    // One that was forgotten meanwhile does not come back by being kept.
    await register.keep(partition, [randomUUID()], nowMs);
    expect(await node.redis.zcard(registerKey(stem))).toBe((await register.sample(partition, 1_000)).length);
  });

  it('shows a header as it stands', async () => {
    await quiet();
    await node.views.read({ channelId, userId: reader, position: position(2) });
    const header = await register.header(channelId);
    expect(header).toMatchObject({ epoch: world.ledger.epoch, headPosition: position(3) });
    expect(header?.members.get(reader)).toMatchObject({ readTo: { n: 2 }, unread: 1 });
    expect(header?.members.get(owner)).toMatchObject({ readTo: { n: 3 }, unread: 0 });
    expect(await register.header(randomUUID())).toBeNull();
  });

  it('[JOB-4] takes what retention has removed out of the window', async () => {
    await quiet();
    await register.trimWindow(channelId, position(2));
    const left = await node.redis.xrange(windowKey(stem, channelId), '-', '+');
    expect(left.map(([id]) => id)).toEqual([position(3)]);
  });
});
