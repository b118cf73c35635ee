import { verify } from '../../packages/testing/test/verify.ts';
import { FAULTS } from './fault-list.ts';
import type { Options } from './options.ts';
import { outboxRound } from './outbox-round.ts';
import { planOf, type Round } from './plan.ts';
import { serverRound } from './server-round.ts';
import { type ChaosStack, startStack } from './stack.ts';
import { type Ending, type RoundResult, reportOf } from './verdict.ts';

interface Watching {
  readonly say: (line: string) => void;
  /** Ends the run at once, with all that it has started. */
  readonly signal: AbortSignal;
}

/** Makes faults for as long as asked, one round after the other, and holds what is left against the promises. Null: it was interrupted. */
export async function run(options: Options, { say, signal }: Watching) {
  await using stack = await startStack(options.without);
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (signal.aborted) resolve('interrupted');
    signal.addEventListener('abort', () => resolve('interrupted'));
  });
  const { minutes, seed, only } = options;
  say(`seed ${seed}: ${minutes} minutes of faults${options.without ? `, without ${options.without}` : ''}`);
  const deadline = Date.now() + minutes * 60_000;
  const rounds: RoundResult[] = [];
  const broken: string[] = [];
  for (const faults of planOf(seed, only)) {
    say(`round ${rounds.length + broken.length + 1}: ${faults.join(' and ')}`);
    try {
      const result = await Promise.race([roundOf(faults)(stack, faults, say), interrupted]);
      if (result === 'interrupted') return null;
      rounds.push(result);
      say(`  ${line(result)}`);
    } catch (error) {
      // What a round has broken the next one would find broken: it ends the run.
      broken.push(`${faults.join(' and ')}: ${error instanceof Error ? error.message : String(error)}`);
      say(`  could not be finished: ${broken.at(-1)}`);
      break;
    }
    if (Date.now() > deadline) break;
  }
  return reportOf({ seed, minutes }, rounds, await endingOf(stack, broken));
}

/** What the log store forgets only an outbox brings again; everything else the server must not lose by itself. */
function roundOf(faults: Round): typeof serverRound {
  return faults.some((name) => FAULTS[name].keeper === 'outbox') ? outboxRound : serverRound;
}

function line({ acked, persisted, delivered, backMs, ...round }: RoundResult): string {
  const { found, resyncs, ended, unreadWrong } = round;
  const wrong = Object.entries({ ...found, resyncs, 'feeds ended': ended, 'unread wrong': unreadWrong }).filter(
    ([, count]) => count > 0,
  );
  const harm =
    wrong.length > 0
      ? wrong
          .map(([what, count]) => `${count} ${what}`)
          .join(', ')
          .toUpperCase()
      : 'nothing lost';
  return `${acked} acknowledged, ${persisted} persisted, ${delivered} delivered, first answer after ${backMs} ms: ${harm}`;
}

async function endingOf(stack: ChaosStack, broken: readonly string[]): Promise<Ending> {
  const { code, report } = await verify({ ...stack.cluster.env, REDIS_LOG_URL: stack.log.url });
  const { ok, lost, duplicate, reused } = report;
  const died = [...stack.apis, ...stack.workers].filter(({ pid }) => !isAlive(pid)).map(({ name }) => name);
  const uncaught = stack
    .printed()
    .split('\n')
    .filter((each) => /unhandled|uncaught/i.test(each));
  return { verify: code === 2 ? null : { ok, lost, duplicate, reused }, died, uncaught: uncaught.slice(0, 10), broken };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
