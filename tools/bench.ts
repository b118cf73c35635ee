/**
 * `npm run bench [-- --quick] [--only B1,B3] [--pairs 7] [--out bench] [--json] [--keep]`: every target against its peer, both measured in
 * this run on this machine. Prints the table; the last line is the verdict. `--keep` writes `docs/bench.*`. Exit code 0 when no target is missed, 1 when one is or a
 * row could not be measured, 2 when it was asked for something that there is not. Needs Linux.
 */
import { Crowd } from './bench/crowd.ts';
import { installPeers } from './bench/install-peers.ts';
import { machine } from './bench/machine.ts';
import { type BenchOptions, readOptions } from './bench/options.ts';
import { type Curve, exitCodeOf, markdown, type Report, summary } from './bench/report.ts';
import { measureAll } from './bench/rows.ts';
import { writeReport } from './bench/write-report.ts';

async function bench(options: BenchOptions): Promise<Report> {
  const began = performance.now();
  const say = (text: string) => process.stderr.write(`${Math.round((performance.now() - began) / 1_000)} s  ${text}\n`);
  await installPeers(say);
  await using crowd = new Crowd();
  const curves: Curve[] = [];
  const { lines, failures } = await measureAll({ options, crowd, say, plot: (drawn) => curves.push(...drawn) });
  const about = await machine();
  const report = { ...about, quick: options.quick, tookMs: performance.now() - began, lines, curves, failures };
  await writeReport(report, options);
  return report;
}

try {
  const options = readOptions(process.argv.slice(2));
  const report = await bench(options);
  if (options.json) {
    console.log(JSON.stringify(report));
    console.error(summary(report));
  } else console.log(`${markdown(report)}\n${summary(report)}`);
  process.exitCode = exitCodeOf(report);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
