/**
 * `npm run chaos`: kills, freezes and cuts every part of a deployment in turn, under load, and holds what is left against the promises. It
 * starts the deployment itself. Prints a line for each fault, and one JSON line at the end. Exit code 0 when every promise held, 1 when
 * one was broken, 2 when there was no run.
 */
import { type Options, parseOptions, USAGE } from './chaos/options.ts';

const why = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function main(options: Options): Promise<number> {
  // Stores and servers are loaded only when there is a run to make: a slip of the pen is answered at once.
  const { run } = await import('./chaos/run.ts');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const report = await run(options, { say: (line) => console.log(line), signal: interrupted.signal });
  if (!report) return 130;
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
    console.error(`the run could not be made: ${why(error)}`);
    process.exit(2);
  }
}
