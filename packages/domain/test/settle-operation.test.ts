import { describe, expect, it } from 'vitest';
import { Failure } from '../src/failure.ts';
import type { Outcome } from '../src/ports/archive.ts';
import type { Verdict } from '../src/ports/message-log.ts';
import { type Attempt, settleOperation } from '../src/settle-operation.ts';

const place = (epoch: number, n: number) => ({ epoch, n, m: n, at: 1_000 + n });
const accepted: Verdict = { type: 'accepted', place: place(5, 1), first: true };

/** A log that answers with these verdicts in turn; a renewal moves it on to the next epoch of the list. */
function world(verdicts: Verdict[], options: { epochs?: number[]; outcome?: Outcome | null; exists?: boolean } = {}) {
  const calls: string[] = [];
  const epochs = [...(options.epochs ?? [5])];
  const settle = settleOperation({
    log: {
      epochOf: () => epochs[0] ?? 0,
      renew: async () => {
        calls.push('renew');
        if (epochs.length > 1) epochs.shift();
      },
      load: async () => {
        calls.push('load');
        return options.exists ?? true;
      },
      forgetAnswer: async ({ position }) => {
        calls.push(`forget ${position}`);
      },
    },
    archive: {
      outcome: async () => {
        calls.push('outcome');
        return options.outcome ?? null;
      },
    },
    clock: { now: () => 10_000 },
  });
  const attempt = (repeat?: Attempt['repeat']): Attempt => ({
    channelId: 'c',
    actorId: 'a',
    operationId: 'o',
    repeat,
    put: async () => {
      calls.push('put');
      const verdict = verdicts.length > 1 ? verdicts.shift() : verdicts[0];
      return verdict ?? accepted;
    },
  });
  return { calls, run: (repeat?: Attempt['repeat']) => settle(attempt(repeat)) };
}

const failure = (code: string, more: object = {}) => expect.objectContaining({ name: 'Failure', code, ...more });

describe('the verdicts of the log', () => {
  it('[SEND-20] the good case is one call of the log and nothing else', async () => {
    const { run, calls } = world([accepted]);
    expect(await run()).toEqual(accepted);
    expect(calls).toEqual(['put']);
  });

  it('[EPOCH-20] renews a strange epoch, loads a missing header, and tries again', async () => {
    const { run, calls } = world([{ type: 'epoch' }, { type: 'missing' }, accepted]);
    expect(await run()).toEqual(accepted);
    expect(calls).toEqual(['put', 'renew', 'put', 'load', 'put']);
  });

  it('a channel that does not exist and a stranger get the same answer', async () => {
    await expect(world([{ type: 'missing' }], { exists: false }).run()).rejects.toEqual(failure('NOT_FOUND'));
    const stranger = await world([{ type: 'stranger' }])
      .run()
      .catch((error: unknown) => error);
    const nowhere = await world([{ type: 'missing' }], { exists: false })
      .run()
      .catch((error: unknown) => error);
    expect(String(stranger)).toBe(String(nowhere));
  });

  it.each([
    [{ type: 'forbidden' }, failure('FORBIDDEN')],
    [{ type: 'full' }, failure('CHANNEL_FULL')],
    [{ type: 'backpressure' }, failure('BACKPRESSURE', { retryAfterMs: 1_000, retryable: true })],
    [{ type: 'silenced', untilMs: 12_500 }, failure('SILENCED', { retryAfterMs: 2_500 })],
  ] as const)('$type is final', async (verdict, expected) => {
    const { run, calls } = world([verdict]);
    await expect(run()).rejects.toEqual(expected);
    expect(calls).toEqual(['put']);
  });

  it('[SEND-21] gives up after a bounded number of turns, as something to be retried', async () => {
    for (const type of ['epoch', 'missing'] as const) {
      const { run, calls } = world([{ type }]);
      await expect(run()).rejects.toEqual(failure('UNAVAILABLE', { retryable: true }));
      expect(calls.length).toBeLessThan(20);
    }
  });

  it('passes an error of the log on: the outcome is unknown', async () => {
    const settle = settleOperation({
      log: { epochOf: () => 5, renew: async () => {}, load: async () => true, forgetAnswer: async () => {} },
      archive: { outcome: async () => null },
      clock: { now: () => 0 },
    });
    const put = () => Promise.reject(new Failure('UNKNOWN_RETRY', 'cut'));
    await expect(settle({ channelId: 'c', actorId: 'a', operationId: 'o', repeat: undefined, put })).rejects.toEqual(
      failure('UNKNOWN_RETRY'),
    );
  });
});

describe('duplicates', () => {
  const seen = { type: 'duplicate', id: 'm', place: place(5, 7) } as const;
  const persisted: Outcome = { type: 'persisted', id: 'm', position: '4-7', at: 9 };

  it('[DEDUP-20] an answer whose entry is still in the log is given again', async () => {
    const { run, calls } = world([{ ...seen, settled: false }]);
    expect(await run()).toEqual({ type: 'duplicate', id: 'm', position: '5-7', at: 1_007, level: 'accepted' });
    expect(calls).toEqual(['put']);
  });

  it('[DEDUP-21] a settled answer is looked up in Postgres: found means persisted', async () => {
    const { run } = world([{ ...seen, settled: true }], { outcome: persisted });
    expect(await run()).toEqual({ type: 'duplicate', id: 'm', position: '4-7', at: 9, level: 'persisted' });
  });

  it('[DEDUP-22] an answer that Postgres does not know is forgotten, and the operation accepted anew', async () => {
    const { run, calls } = world([{ ...seen, settled: true }, accepted]);
    expect(await run()).toEqual(accepted);
    expect(calls).toEqual(['put', 'outcome', 'forget 5-7', 'put']);
  });

  it('a rejected operation stays rejected', async () => {
    const outcome: Outcome = { type: 'rejected', reason: 'NUL' };
    await expect(world([{ ...seen, settled: true }], { outcome }).run()).rejects.toEqual(failure('INVALID'));
  });
});

describe('repeating over epochs', () => {
  it('[EPOCH-21] an operation with forerunners of another epoch is refused with the current one', async () => {
    const { run, calls } = world([accepted], { epochs: [5] });
    await expect(run({ epoch: 4 })).rejects.toEqual(failure('CONFLICT', { epoch: 5 }));
    expect(calls).toEqual([]);
  });

  it('[EPOCH-21] also when the epoch changes between two tries', async () => {
    const { run } = world([{ type: 'epoch' }, accepted], { epochs: [5, 6] });
    await expect(run({ epoch: 5 })).rejects.toEqual(failure('CONFLICT', { epoch: 6 }));
  });

  it('a client that knows a newer epoch than this node makes the node look', async () => {
    const { run, calls } = world([accepted], { epochs: [5, 6] });
    expect(await run({ epoch: 6 })).toEqual(accepted);
    expect(calls).toEqual(['renew', 'put']);
  });

  it('[DEDUP-23] what was first tried in an older epoch is looked up before it is put into the log', async () => {
    const outcome: Outcome = { type: 'persisted', id: 'm', position: '4-7', at: 9 };
    const found = world([accepted], { outcome });
    expect(await found.run({ triedIn: 4 })).toMatchObject({ type: 'duplicate', level: 'persisted' });
    expect(found.calls).toEqual(['load', 'outcome']);
    const lost = world([accepted]);
    expect(await lost.run({ triedIn: 4 })).toEqual(accepted);
    expect(lost.calls).toEqual(['load', 'outcome', 'put']);
  });

  it('[DEDUP-23] once per epoch, and again when the epoch changes in between', async () => {
    const { run, calls } = world([{ type: 'missing' }, { type: 'epoch' }, accepted], { epochs: [5, 6] });
    await run({ triedIn: 4 });
    expect(calls.filter((call) => call === 'outcome')).toHaveLength(2);
    const fresh = world([{ type: 'epoch' }, accepted], { epochs: [5, 6] });
    await fresh.run({ triedIn: 5 });
    expect(fresh.calls).toEqual(['put', 'renew', 'load', 'outcome', 'put']);
  });
});
