import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FAULT_NAMES, FAULTS } from './chaos/fault-list.ts';
import { STRIKES } from './chaos/faults.ts';
import { openFront } from './chaos/front.ts';
import { parseOptions } from './chaos/options.ts';
import { planOf } from './chaos/plan.ts';
import { type Ending, type RoundResult, reportOf } from './chaos/verdict.ts';

const ROUND: RoundResult = {
  faults: ['api-kill'],
  unseen: [],
  acked: 10,
  persisted: 10,
  delivered: 60,
  found: {},
  resyncs: 0,
  ended: 0,
  unreadWrong: 0,
  backMs: 7,
};
const ENDING: Ending = {
  verify: { ok: true, lost: 0, duplicate: 0, reused: 0 },
  died: [],
  uncaught: [],
  broken: [],
};
const ASKED = { seed: 1, minutes: 1 };

function first(count: number, seed: number, only: Parameters<typeof planOf>[1] = []) {
  const plan = planOf(seed, only);
  return Array.from({ length: count }, () => plan.next().value);
}

describe('options', () => {
  it('[CHAOS-1] are read, and what is wrong with one is said', () => {
    const words = ['--minutes', '0.5', '--seed', '7', '--only', 'api-kill, log-kill', '--without', 'aof'];
    expect(parseOptions(words)).toEqual({ minutes: 0.5, seed: 7, only: ['api-kill', 'log-kill'], without: 'aof' });
    expect(parseOptions([])).toMatchObject({ minutes: 5, only: [], without: null });
    for (const [line, words] of [
      ['--minutes 0', '--minutes'],
      ['--minutes many', '--minutes'],
      ['--seed 1.5', '--seed'],
      ['--only api-kil', 'there is no fault api-kil'],
      ['--without fsync', '--without'],
      ['--fast', '--fast'],
    ] as const) {
      expect(() => parseOptions(line.split(' ')), line).toThrow(words);
    }
  });
});

describe('the plan', () => {
  it('[CHAOS-2] makes each fault once, then pairs that harm different things; the same seed makes the same ones', () => {
    const count = FAULT_NAMES.length;
    const rounds = first(count + 100, 5);
    expect(rounds.slice(0, count).flat().sort()).toEqual([...FAULT_NAMES].sort());
    for (const [one, other] of rounds.slice(count)) {
      if (!one || !other) throw new Error('a pair');
      expect(FAULTS[one].victim).not.toBe(FAULTS[other].victim);
    }
    expect(first(count + 100, 5)).toEqual(rounds);
    expect(first(count + 100, 6)).not.toEqual(rounds);
  });

  it('of faults that cannot meet goes on one by one', () => {
    expect(first(4, 1, ['log-kill', 'log-freeze']).every((round) => round.length === 1)).toBe(true);
  });

  it('knows how to make every fault', () => {
    expect(Object.keys(STRIKES).sort()).toEqual([...FAULT_NAMES].sort());
  });
});

describe('the verdict', () => {
  it('[CHAOS-3] is good when every promise held and every fault was seen', () => {
    expect(reportOf(ASKED, [ROUND, { ...ROUND, backMs: 3 }], ENDING)).toMatchObject({
      ok: true,
      rounds: 2,
      acked: 20,
      lost: 0,
      faults: { 'api-kill': { times: 2, backMs: 3, worstBackMs: 7 } },
      notReached: FAULT_NAMES.filter((name) => name !== 'api-kill'),
    });
  });

  it.each<[string, Partial<RoundResult>, Partial<Ending>]>([
    ['a lost message', { found: { lost: 1 } }, {}],
    ['a doubled one', { found: { doubled: 1 } }, {}],
    ['a position used twice', { found: { 'position reused': 1 } }, {}],
    ['a gap', { found: { gap: 1 } }, {}],
    ['a repeat', { found: { repeat: 1 } }, {}],
    ['a wrong order', { found: { order: 1 } }, {}],
    ['a message of nobody', { found: { stranger: 1 } }, {}],
    ['a resync', { resyncs: 1 }, {}],
    ['a feed that ended', { ended: 1 }, {}],
    ['a wrong unread count', { unreadWrong: 1 }, {}],
    ['a fault that nobody saw', { unseen: ['api-kill'] }, {}],
    ['a process that ended', {}, { died: ['api 1'] }],
    ['an error that nobody caught', {}, { uncaught: ['unhandledRejection'] }],
    ['a round that could not be finished', {}, { broken: ['api-kill: no answer'] }],
    ['what verify found', {}, { verify: { ok: false, lost: 1, duplicate: 0, reused: 0 } }],
    ['no word of verify', {}, { verify: null }],
  ])('[CHAOS-3] is bad by %s', (_, round, ending) => {
    expect(reportOf(ASKED, [ROUND, { ...ROUND, ...round }], { ...ENDING, ...ending }).ok).toBe(false);
  });

  it('[CHAOS-3] is bad when there was no round', () => {
    expect(reportOf(ASKED, [], ENDING).ok).toBe(false);
  });
});

describe('a front', () => {
  it('[CHAOS-4] carries nothing in a black hole though connections stay open, and all that waited afterwards; turned, it cuts them', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    const deaf = createServer((socket) => socket.on('data', () => undefined));
    const [port, other] = await Promise.all(
      [echo, deaf].map(async (server) => {
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const address = server.address();
        return typeof address === 'object' && address ? address.port : 0;
      }),
    );
    await using front = await openFront(port ?? 0);
    const socket = connect(front.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.write('a');
    await expect.poll(() => heard).toBe('a');
    const end = front.swallow();
    socket.write('b');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([heard, socket.destroyed]).toEqual(['a', false]);
    expect(end()).toBe(1);
    await expect.poll(() => heard).toBe('ab');
    const closed = once(socket, 'close');
    expect(front.turnTo(other ?? 0)).toBe(1);
    await closed;
    for (const server of [echo, deaf]) server.close();
  });
});
