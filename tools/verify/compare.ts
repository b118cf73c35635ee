/** An answer that the log store still remembers having given: `id` names a message, or the operation of a member change. */
export interface Answered {
  readonly channelId: string;
  readonly id: string;
  readonly position: string;
}

/** An entry that waits in the log, or a row of Postgres: what stands at a position. */
export interface Standing {
  readonly channelId: string;
  readonly position: string;
  /** The message's id; null for every other entry. */
  readonly id: string | null;
}

/** What one epoch of a channel has in Postgres. */
export interface Stretch {
  readonly channelId: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  /** Messages and changes together. */
  readonly entries: number;
  /** Positions held by a message and a change both. */
  readonly shared: number;
  /** Positions from 1 on that retention has removed. */
  readonly removed: number;
  /** It goes on beyond what a restored copy had of the channel. */
  readonly restored: boolean;
}

export interface Evidence {
  readonly answered: readonly Answered[];
  readonly waiting: readonly Standing[];
  /** Rows of Postgres at the answered positions and under the answered ids. */
  readonly kept: readonly Standing[];
  readonly stretches: readonly Stretch[];
  /** Messages that Postgres has more than once under one (channel, sender, client id). */
  readonly twins: number;
  /** Read cursors beyond what Postgres has of their channel; right while the entry that they stand at waits in the log. */
  readonly ahead: readonly { readonly channelId: string; readonly position: string }[];
  readonly messages: number;
}

export interface Report {
  readonly ok: boolean;
  /** Answers that are still remembered: those of the last hour. */
  readonly accepted: number;
  readonly persisted: number;
  readonly waiting: number;
  /** Answered, and neither in the log nor in Postgres. */
  readonly lost: number;
  readonly duplicate: number;
  /** Positions that two entries hold, or that were answered for one and hold another. */
  readonly reused: number;
  /** Positions that nothing holds, below the head of their epoch. */
  readonly gaps: number;
  /** The same, where a restore of Postgres explains it. */
  readonly lostByRestore: number;
  /** Read cursors that stand where nothing is. */
  readonly cursorsAhead: number;
}

const at = (x: { channelId: string; position: string }) => `${x.channelId} ${x.position}`;

/** Holds what was found against the promises; `ok` when nothing contradicts them. */
export function compare(evidence: Evidence): Report {
  const standing = [...evidence.waiting, ...evidence.kept];
  const byPosition = Map.groupBy(standing, at);
  const ids = new Set(standing.map(({ id }) => id));
  const answeredAt = Map.groupBy(evidence.answered, at);
  const lost = evidence.answered.filter((answer) => !ids.has(answer.id) && !byPosition.has(at(answer))).length;
  // A superseded twin answers with a position that now holds a change without an id: only another message contradicts the answer.
  const holdsAnother = evidence.answered.filter((answer) =>
    (byPosition.get(at(answer)) ?? []).some(({ id }) => id !== null && id !== answer.id),
  ).length;
  const answeredTwice = [...answeredAt.values()].filter(
    (answers) => new Set(answers.map(({ id }) => id)).size > 1,
  ).length;
  const shared = evidence.stretches.reduce((sum, stretch) => sum + stretch.shared, 0);
  const reused = Math.max(holdsAnother, answeredTwice) + shared;
  const gapsOf = (restored: boolean) =>
    evidence.stretches.reduce((sum, stretch) => sum + (stretch.restored === restored ? gapsIn(stretch) : 0), 0);
  const gaps = gapsOf(false);
  const waitingAt = new Set(evidence.waiting.map(at));
  const cursorsAhead = evidence.ahead.filter((cursor) => !waitingAt.has(at(cursor))).length;
  const duplicate = evidence.twins;
  return {
    ok: lost + duplicate + reused + gaps + cursorsAhead === 0,
    accepted: evidence.answered.length,
    persisted: evidence.messages,
    waiting: evidence.waiting.length,
    lost,
    duplicate,
    reused,
    gaps,
    lostByRestore: gapsOf(true),
    cursorsAhead,
  };
}

/** Dense from 1, or from where retention has left it: as many different positions as the last one says. */
function gapsIn(stretch: Stretch): number {
  return stretch.last - stretch.removed - (stretch.entries - stretch.shared);
}
