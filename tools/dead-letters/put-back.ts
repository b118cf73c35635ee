import { setTimeout as sleep } from 'node:timers/promises';
import { type DeadLetter, type Draft, decodeEntry, parseLine, type Verdict } from '@parley/domain';
import { formatPosition, type Position } from '@parley/protocol';
import type { Stores } from './stores.ts';

const TURNS_MAX = 20;
const SETTLE_PAUSE_MS = 250;
const PERSISTED_WITHIN_MS = 15_000;

/**
 * Puts a message that Postgres refused into the log again: the same payload under the same operation, at a new position, for its old one
 * is a hole that its readers have passed. Whoever sends it again meanwhile gets the same message. The dead letter goes when Postgres has
 * it. Answers what became of it; throws when nothing could be done.
 */
export async function putBack(stores: Stores, letter: DeadLetter): Promise<string> {
  const { partition, epoch, k } = letter;
  const line = Buffer.from(letter.line).toString();
  const entry = decodeEntry({ partition, epoch, k, line });
  const json = parseLine(line)?.json;
  if (entry.type !== 'created' || json === undefined) {
    throw new Error(
      'only a message that can be read can be put back: a change of members may contradict what happened since',
    );
  }
  const { channelId, senderId, clientMsgId, id: messageId } = entry.payload;
  const before = await lettersOf(stores, clientMsgId);
  const verdict = await accept(stores, { channelId, senderId, clientMsgId, messageId, json });
  if (verdict.type !== 'accepted' && verdict.type !== 'duplicate') throw new Error(reasonOf(verdict));
  const position = formatPosition(verdict.place);
  for (const end = Date.now() + PERSISTED_WITHIN_MS; Date.now() < end; await sleep(100)) {
    if (await stores.store.archive.message(channelId, messageId)) {
      await stores.store.housekeeping.discardDeadLetter(letter);
      return `is in Postgres, at ${position}`;
    }
    const again = [...(await lettersOf(stores, clientMsgId))].find(([name]) => !before.has(name));
    if (again) throw new Error(`Postgres refused it again: ${again[1]}`);
  }
  return `is in the log, at ${position}, and waits for a worker`;
}

/** The reasons of an operation's dead letters, by where each stood. */
async function lettersOf({ store }: Stores, clientMsgId: string): Promise<Map<string, string>> {
  const letters = (await store.housekeeping.deadLetters(1_000)).filter((other) => other.clientMsgId === clientMsgId);
  return new Map(letters.map(({ partition, epoch, k, reason }) => [`${partition}/${epoch}-${k}`, reason]));
}

async function accept(stores: Stores, draft: Draft): Promise<Verdict> {
  const { log } = stores;
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const verdict = await log.accept(draft);
    switch (verdict.type) {
      case 'epoch':
        await log.renew();
        break;
      case 'missing':
        if (!(await log.load(draft.channelId))) throw new Error('its channel is no more');
        break;
      case 'duplicate':
        if (await stores.store.archive.message(draft.channelId, draft.messageId)) return verdict;
        // An earlier try that came to nothing still has its answer, which names a hole; one that is under way does not.
        if (verdict.settled) await forget(stores, draft, formatPosition(verdict.place));
        else await sleep(SETTLE_PAUSE_MS);
        break;
      default:
        return verdict;
    }
  }
  throw new Error('the log is changing hands: try again');
}

function forget({ log }: Stores, draft: Draft, position: Position): Promise<void> {
  const { channelId, senderId: actorId, clientMsgId: operationId } = draft;
  return log.forgetAnswer({ channelId, actorId, operationId, position });
}

function reasonOf({ type }: Verdict): string {
  if (type === 'stranger') return 'its sender is no longer a member of its channel';
  return `the log does not take it: ${type}`;
}
