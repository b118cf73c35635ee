import { setTimeout as sleep } from 'node:timers/promises';
import { countViolations, violationsOf } from '../../packages/testing/src/history.ts';
import { gather, settled, talk } from '../../packages/testing/test/crowd.ts';
import { keptAtRest, wrongUnread } from './at-rest.ts';
import type { Round } from './plan.ts';
import type { ChaosStack } from './stack.ts';
import { strike } from './strike.ts';
import type { RoundResult } from './verdict.ts';

const CROWD = { users: 12, channels: 6, perChannel: 6 };
const PAUSE_MS = 30;
/** Load before the fault, and after its cause is gone. */
const AROUND_MS = 1_500;
const SEEN_MS = 15_000;

/** A crowd on the stock client, which forgets a message as soon as it is answered: all that keeps it then is the server. */
export async function serverRound(stack: ChaosStack, faults: Round, say: (line: string) => void): Promise<RoundResult> {
  await using crowd = await gather(stack.cluster, CROWD);
  let isOver = false;
  const talking = talk(crowd, () => !isOver, PAUSE_MS);
  await sleep(AROUND_MS);
  const cutClients = () => crowd.users.filter((user) => user.cut()).length;
  const unseen = await strike(stack, { faults, cutClients, say });
  const returned = Date.now();
  await sleep(AROUND_MS);
  isOver = true;
  await talking;
  await settled(crowd, SEEN_MS);
  const acked = crowd.users.flatMap((user) => user.acked);
  const observed = crowd.users.flatMap((user) => user.watches);
  const channels = new Set(crowd.channels.map(({ id }) => id));
  const kept = await keptAtRest(stack.cluster.databaseUrl, channels, acked);
  const after = crowd.users.flatMap((user) => user.ackedAt).filter((at) => at >= returned);
  return {
    faults,
    unseen,
    acked: acked.length,
    persisted: kept.length,
    delivered: observed.reduce((sum, { seen }) => sum + seen.length, 0),
    found: countViolations(violationsOf({ acked, observed, kept })),
    resyncs: observed.reduce((sum, { resyncs }) => sum + resyncs.length, 0),
    ended: observed.reduce((sum, { endings }) => sum + endings.length, 0),
    unreadWrong: await wrongUnread(crowd.users, kept),
    backMs: Math.min(...after) - returned,
  };
}
