import type { History } from '@parley/domain';
import { type ChangeColumns, changeOf, type MessageColumns, messageOf } from './rows.ts';

export interface HistoryRow {
  readonly epoch: number;
  readonly version: number;
  readonly member: boolean;
  readonly known: boolean;
  readonly expired: boolean;
  readonly messages: readonly MessageColumns[];
  readonly changes: readonly ChangeColumns[];
}

/** Messages and changes are entries of one order: the first `limit` of them together, so that nothing is left out in between. */
export function historyOf(row: HistoryRow, limit: number): History {
  const entries = [...row.messages, ...row.changes].sort((a, b) => a.epoch - b.epoch || a.n - b.n);
  const beyond = entries[limit];
  const shown = <T extends { epoch: number; n: number }>(rows: readonly T[]) =>
    beyond ? rows.filter((r) => r.epoch < beyond.epoch || (r.epoch === beyond.epoch && r.n < beyond.n)) : rows;
  return {
    epoch: row.epoch,
    member: row.member,
    version: row.version,
    known: row.known,
    expired: row.expired,
    messages: shown(row.messages).map(messageOf),
    changes: shown(row.changes).map(changeOf),
    more: beyond !== undefined,
  };
}
