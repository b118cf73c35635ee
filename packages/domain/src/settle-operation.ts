import { formatPosition, type Level, type Operation, type Position } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { LogPlace } from './log-line.ts';
import type { Archive } from './ports/archive.ts';
import type { Clock } from './ports/clock.ts';
import type { MessageLog, Verdict } from './ports/message-log.ts';

export interface SettleDeps {
  readonly log: Pick<MessageLog, 'epochOf' | 'renew' | 'load' | 'forgetAnswer'>;
  readonly archive: Pick<Archive, 'outcome'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** A durable operation and the one call that puts it into the log. */
export interface Attempt {
  readonly channelId: string;
  readonly actorId: string;
  readonly operationId: string;
  /** How the caller repeats it; see `operationSchema`. */
  readonly repeat: Pick<Operation, 'epoch' | 'triedIn'> | undefined;
  put(): Promise<Verdict>;
}

/** Where an operation came to stand. */
export type Settled =
  | { readonly type: 'accepted'; readonly place: LogPlace; readonly first: boolean }
  | {
      readonly type: 'duplicate';
      readonly id: string;
      readonly position: Position;
      readonly at: number;
      readonly level: Level;
    }
  | { readonly type: 'unchanged' };

/** Each turn answers one question (which epoch, which header, whose answer), and no operation has more of them than this. */
const TURNS_MAX = 6;
const RETRY_AFTER_MS = 1_000;

/** The end of a silence that has none: no time of this software's life, and a number of thirteen digits like any other. */
export const FOR_EVER_MS = 9_999_999_999_999;

/**
 * Puts an operation into the log, or finds where it stands already. Renews the epoch, loads the header and asks Postgres about old
 * answers as the log demands it. Throws a `Failure` for what is final or not possible now.
 */
export function settleOperation(deps: SettleDeps): (attempt: Attempt) => Promise<Settled> {
  const { log } = deps;
  return async (attempt) => {
    let lookedUpIn = -1;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      await catchUp(log, attempt);
      // From here to the look-up or the `put` nothing is awaited: what the fence lets through goes into the epoch that it saw.
      const epoch = fence(log, attempt);
      if ((attempt.repeat?.triedIn ?? epoch) < epoch && lookedUpIn !== epoch) {
        const known = await lookUp(deps, attempt);
        if (known) return known;
        lookedUpIn = epoch;
        continue;
      }
      const settled = await answer(deps, attempt, await attempt.put());
      if (settled) return settled;
    }
    throw new Failure('UNAVAILABLE', 'the log is changing hands', { retryAfterMs: RETRY_AFTER_MS });
  };
}

/** The client has seen an epoch that this node has not: another node opened it. */
async function catchUp(log: SettleDeps['log'], { channelId, repeat }: Attempt): Promise<void> {
  if (repeat?.epoch !== undefined && repeat.epoch > log.epochOf(channelId)) await log.renew();
}

/** An operation with unpersisted forerunners is accepted only in the epoch that confirmed them. */
function fence(log: SettleDeps['log'], { channelId, repeat }: Attempt): number {
  const epoch = log.epochOf(channelId);
  if (repeat?.epoch === undefined || repeat.epoch === epoch) return epoch;
  throw new Failure('CONFLICT', 'the epoch has changed: resend in order', { epoch });
}

/** The header comes first: once it is loaded, nothing of an older epoch is on its way to Postgres, and the answer is final. */
async function lookUp(deps: SettleDeps, attempt: Attempt): Promise<Settled | null> {
  if (!(await deps.log.load(attempt.channelId))) throw notFound();
  return persistedAnswer(deps, attempt);
}

/** What Postgres has of an operation; null: nothing. Final once nothing older than this epoch is on its way there. */
export async function persistedAnswer(
  deps: Pick<SettleDeps, 'archive'>,
  attempt: Pick<Attempt, 'channelId' | 'actorId' | 'operationId'>,
): Promise<Extract<Settled, { type: 'duplicate' }> | null> {
  const { channelId, actorId, operationId } = attempt;
  const outcome = await deps.archive.outcome({ channelId, actorId, operationId });
  if (!outcome) return null;
  if (outcome.type === 'rejected') throw new Failure('INVALID', 'this operation was rejected');
  return { type: 'duplicate', id: outcome.id, position: outcome.position, at: outcome.at, level: 'persisted' };
}

/** What a verdict means; null: ask again. */
async function answer(deps: SettleDeps, attempt: Attempt, verdict: Verdict): Promise<Settled | null> {
  switch (verdict.type) {
    case 'accepted':
    case 'unchanged':
      return verdict;
    case 'duplicate':
      return duplicate(deps, attempt, verdict);
    case 'standing': {
      const { id, place } = verdict;
      return { type: 'duplicate', id, position: formatPosition(place), at: place.at, level: 'persisted' };
    }
    case 'epoch':
      await deps.log.renew();
      return null;
    case 'missing':
      if (!(await deps.log.load(attempt.channelId))) throw notFound();
      return null;
    case 'unknown':
      return null;
    case 'gone':
      throw new Failure('NOT_FOUND', 'no such message');
    case 'archived':
      throw new Failure('FORBIDDEN', 'the channel is archived');
    case 'stranger':
      throw notFound();
    case 'forbidden':
      throw new Failure('FORBIDDEN', 'your role does not allow this');
    case 'silenced':
      // There is no time after which to try again: a client that waited for it would never stop asking.
      if (verdict.untilMs >= FOR_EVER_MS) throw new Failure('FORBIDDEN', 'you cannot write here');
      throw new Failure('SILENCED', 'you are silenced in this channel', {
        retryAfterMs: Math.max(0, verdict.untilMs - deps.clock.now()),
      });
    case 'full':
      throw new Failure('CHANNEL_FULL', 'the channel is full');
    case 'backpressure':
      throw new Failure('BACKPRESSURE', 'too much waits to be persisted', {
        retryAfterMs: RETRY_AFTER_MS,
        level: 'error',
      });
  }
}

async function duplicate(
  deps: SettleDeps,
  attempt: Attempt,
  { id, place, settled }: Extract<Verdict, { type: 'duplicate' }>,
): Promise<Settled | null> {
  const position = formatPosition(place);
  if (!settled) return { type: 'duplicate', id, position, at: place.at, level: 'accepted' };
  const known = await persistedAnswer(deps, attempt);
  if (known) return known;
  // Its entry is nowhere any more: the answer was given by a log or a Postgres that is lost.
  const { channelId, actorId, operationId } = attempt;
  await deps.log.forgetAnswer({ channelId, actorId, operationId, position });
  return null;
}

/** Also the answer to a stranger: whether the channel exists is not his to know. */
export function notFound(): Failure {
  return new Failure('NOT_FOUND', 'no such channel');
}
