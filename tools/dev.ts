// `npm start`: the whole of Parley on this machine, until Ctrl-C.
import { fileURLToPath } from 'node:url';
import { Stack } from './dev/stack.ts';

const port = Number(process.env.PORT || 3000);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`PORT must be a number from 1 to 65535, not ${process.env.PORT}`);
  process.exit(1);
}
// Whoever reads the output may leave (`npm start | head`): the stack goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const stack = new Stack({
  root: fileURLToPath(new URL('..', import.meta.url)),
  port,
  env: process.env,
  say: (line) => console.log(`  ${line}`),
});

let stopping = false;
async function stop(exitCode: number): Promise<never> {
  stopping = true;
  const problems = await stack.stop();
  for (const problem of problems) console.error(problem instanceof Error ? problem.message : problem);
  process.exit(problems.length > 0 ? 1 : exitCode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second one means it: what still runs ends with this process.
    if (stopping) process.exit(130);
    console.log('\n  stopping; once more to end at once');
    void stop(0);
  });
}

try {
  await stack.start();
  if (!stopping) console.log(`listening on http://127.0.0.1:${port}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (!stopping) await stop(1);
}
