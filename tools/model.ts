/**
 * `npm run model`: the code of the message path, from the client's outbox to Postgres and back into every view, on real stores, with each
 * step between them and each fault placed by a seed. It starts the stores itself. Prints a line now and then, and one JSON line at
 * the end. Exit code 0 when every promise held, 1 when one was broken, 2 when there was no run.
 */
import { type Options, parseOptions, USAGE } from './model/options.ts';

const why = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function main(options: Options): Promise<number> {
  // Stores are started only when there is a run to make: a slip of the pen is answered at once.
  const { runSeries } = await import('./model/series.ts');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const report = await runSeries(options, { say: (line) => console.log(line), signal: interrupted.signal });
  if (interrupted.signal.aborted) return 130;
  console.log(JSON.stringify(report));
  return report.ok ? 0 : 1;
}

let options: Options | undefined;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${why(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
if (options) {
  try {
    process.exit(await main(options));
  } catch (error) {
    console.error(`the runs could not be made: ${why(error)}`);
    process.exit(2);
  }
}
