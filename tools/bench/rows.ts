import type { RowId } from './options.ts';
import type { Line, Report } from './report.ts';
import { measureAccept } from './rows/accept.ts';
import { measureCalls } from './rows/calls.ts';
import { measureChurn } from './rows/churn.ts';
import { measureConnections } from './rows/connections.ts';
import { measureDelivery } from './rows/delivery.ts';
import { measureFanOut } from './rows/fan-out.ts';
import { measureMemory } from './rows/memory.ts';
import { measureHotChannel, measureLatency } from './rows/pace.ts';
import { measureStatements } from './rows/persistence.ts';
import type { Bench, Measure } from './rows/row.ts';
import { measureStalled } from './rows/stalled.ts';
import { measureStorm } from './rows/storm.ts';
import { measureWholeSend } from './rows/whole-send.ts';

/** Which rows are measured together, in the order of the table. */
const MEASURES: readonly [rows: readonly RowId[], measure: Measure][] = [
  [['B1', 'B2'], measureDelivery],
  [['B3'], measureFanOut],
  [['B4'], measureHotChannel],
  [['B5'], measureWholeSend],
  [['B6'], measureAccept],
  [['B7'], measureStatements],
  [['B8'], measureLatency],
  [['B9'], measureMemory],
  [['B10'], measureConnections],
  [['B11'], measureCalls],
  [['B12'], measureStorm],
  [['S1'], measureStalled],
  [['S2'], measureChurn],
];

/** Measures every row that the options want; one that fails is named with its reason, and the others go on. */
export async function measureAll(bench: Bench): Promise<Pick<Report, 'lines' | 'failures'>> {
  const lines: Line[] = [];
  const failures: { id: RowId; reason: string }[] = [];
  for (const [rows, measure] of MEASURES) {
    const wanted = rows.filter((row) => bench.options.rows.includes(row));
    if (wanted.length === 0) continue;
    try {
      lines.push(...(await measure(bench, wanted)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(...wanted.map((id) => ({ id, reason })));
      bench.say(`${wanted.join(', ')}: ${reason}`);
    }
  }
  return { lines, failures };
}
