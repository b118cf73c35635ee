import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Archive, History } from '@parley/domain';
import { comparePositions } from '@parley/protocol';

type Read = Archive['history'];
type Query = Parameters<Read>[0];

interface Ask {
  readonly query: Query;
  readonly answer: PromiseWithResolvers<History>;
}

/** Between two reads of one channel: the first is made at once, and a burst is gathered behind it. */
const PACE_MS = 100;

/**
 * One read of a channel's history serves all who asked before it began, and one is made at a time, at most ten a second: after a mass
 * reconnect a channel costs Postgres a few reads and not one for each client. Nobody is given a read that began before he asked, for what
 * has left the window by then may not be in it. `member` is told of the user alone whose question was asked, and is false to others.
 */
export function sharedHistory(read: Read, paceMs = PACE_MS): Read {
  const lines = new Map<string, Ask[]>();

  async function serve(channelId: string, waiting: Ask[]): Promise<void> {
    while (waiting.length > 0) {
      // Those who ask in the same turn are not too late.
      await setImmediate();
      waiting.push(...(await answerSome(read, waiting.splice(0))));
      await setTimeout(paceMs, undefined, { ref: false });
    }
    lines.delete(channelId);
  }

  return (query) => {
    const answer = Promise.withResolvers<History>();
    const line = lines.get(query.channelId);
    if (line) line.push({ query, answer });
    else {
      const waiting = [{ query, answer }];
      lines.set(query.channelId, waiting);
      void serve(query.channelId, waiting);
    }
    return answer.promise;
  };
}

/** Answers whom one read serves, at least the one who is furthest behind; gives back the others. Never rejects: who asked is told. */
async function answerSome(read: Read, asks: readonly Ask[]): Promise<Ask[]> {
  const [first, ...rest] = asks.toSorted((a, b) => comparePositions(a.query.after, b.query.after));
  if (!first) return [];
  try {
    const history = await read(first.query);
    first.answer.resolve(history);
    // Where it does not reach the end, it may have nothing of what follows a later position.
    const whole = !history.more && !history.expired;
    const serves = ({ query: { after, limit } }: Ask) =>
      limit === first.query.limit && (whole || after === first.query.after);
    for (const { query, answer } of rest.filter(serves)) answer.resolve(partOf(history, first.query, query));
    return rest.filter((ask) => !serves(ask));
  } catch (error) {
    for (const { answer } of asks) answer.reject(error);
    return [];
  }
}

const entriesOf = ({ messages, changes }: History) => [...messages, ...changes];

/** What a reading from an earlier position says to somebody who asked from a later one: it has everything that follows. */
function partOf(history: History, asked: Query, { userId, after }: Query): History {
  const follows = ({ position }: { position: History['messages'][number]['position'] }) =>
    comparePositions(position, after) > 0;
  return {
    ...history,
    member: userId === asked.userId && history.member,
    known: asked.after === after ? history.known : entriesOf(history).some(({ position }) => position === after),
    messages: history.messages.filter(follows),
    changes: history.changes.filter(follows),
  };
}
