import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './options.ts';
import { plot } from './plot.ts';
import { markdown, type Report, together } from './report.ts';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

/** Writes the report into the folder of the options, and where it shall be kept into `docs/bench.*`, too, beside the rows that it has not measured. */
export async function writeReport(report: Report, { out, keep }: Pick<BenchOptions, 'out' | 'keep'>): Promise<void> {
  await write(report, out, 'latest');
  if (!keep) return;
  const kept = join(DOCS, 'bench.json');
  const older = existsSync(kept) ? (JSON.parse(await readFile(kept, 'utf8')) as Report) : null;
  await write(older ? together(report, older) : report, DOCS, 'bench');
}

const titleOf = ({ at, machine }: Report) => `Send to delivery by load, ${at.slice(0, 10)}, ${machine}`;

async function write(report: Report, dir: string, name: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(dir, `${name}.md`), markdown(report));
  if (report.curves.length > 0) await writeFile(join(dir, `${name}.svg`), plot(report.curves, titleOf(report)));
}
