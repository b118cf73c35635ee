import { comparePositions, type Position } from '@parley/protocol';

/** An answer that a sender saw. */
export interface Acked {
  readonly channelId: string;
  readonly senderId: string;
  readonly clientMsgId: string;
  readonly messageId: string;
  readonly position: Position;
}

/** What one observer was handed of one channel, in the order it was handed. */
export interface Observed {
  readonly observer: string;
  readonly channelId: string;
  readonly seen: readonly { readonly messageId: string; readonly position: Position }[];
}

/** A message that Postgres has in the end. */
export interface Kept {
  readonly channelId: string;
  readonly senderId: string;
  readonly clientMsgId: string;
  readonly messageId: string;
  readonly position: Position;
}

export interface Run {
  readonly acked: readonly Acked[];
  readonly observed: readonly Observed[];
  readonly kept: readonly Kept[];
}

export type Violation = 'lost' | 'doubled' | 'position reused' | 'gap' | 'repeat' | 'order' | 'stranger';

const at = (x: { channelId: string; position: string }) => `${x.channelId} ${x.position}`;

/**
 * Holds a finished run against the promises of `reliability.md` §3.2. Every observer is taken to have been a member from before the
 * first message to after the last. Empty means that nothing was found.
 */
export function violationsOf(run: Run): { violation: Violation; what: string }[] {
  const found: { violation: Violation; what: string }[] = [];
  const report = (violation: Violation, what: string) => found.push({ violation, what });
  const byId = new Map<string, Kept>();
  const byPosition = new Map<string, string>();
  for (const row of run.kept) {
    if (byId.has(row.messageId)) report('doubled', row.messageId);
    byId.set(row.messageId, row);
    if (byPosition.has(at(row))) report('position reused', at(row));
    byPosition.set(at(row), row.messageId);
  }
  for (const ack of run.acked) {
    if (!byId.has(ack.messageId)) report('lost', `${ack.messageId} at ${at(ack)}`);
    const holder = byPosition.get(at(ack));
    if (holder !== undefined && holder !== ack.messageId) report('position reused', at(ack));
  }
  const inChannel = Map.groupBy(run.kept, (row) => row.channelId);
  for (const view of run.observed) checkObserver(view, inChannel.get(view.channelId) ?? [], report);
  return found;
}

function checkObserver(
  view: Observed,
  kept: readonly Kept[],
  report: (violation: Violation, what: string) => void,
): void {
  const expected = new Set(kept.map((row) => row.messageId));
  const seen = new Set<string>();
  let last: Position | null = null;
  for (const { messageId, position } of view.seen) {
    const what = `${view.observer} in ${view.channelId}: ${messageId} at ${position}`;
    if (seen.has(messageId)) report('repeat', what);
    else if (last !== null && comparePositions(position, last) <= 0) report('order', `${what} after ${last}`);
    if (!expected.has(messageId)) report('stranger', what);
    seen.add(messageId);
    last = position;
  }
  for (const messageId of expected)
    if (!seen.has(messageId)) report('gap', `${view.observer} in ${view.channelId}: ${messageId}`);
}

/** Violations by kind, as a test prints them. */
export function countViolations(found: readonly { violation: Violation }[]): Partial<Record<Violation, number>> {
  const counts: Partial<Record<Violation, number>> = {};
  for (const { violation } of found) counts[violation] = (counts[violation] ?? 0) + 1;
  return counts;
}
