import { setTimeout as sleep } from 'node:timers/promises';
import { comparePositions } from '@parley/protocol';
import { countViolations, type Kept, violationsOf } from '../../packages/testing/src/history.ts';
import {
  allSettled,
  balance,
  type Look,
  type SdkUser,
  signToken,
  startSdkUser,
  until,
  wholeView,
} from '../../packages/testing/test/sdk-user.ts';
import { keptAtRest } from './at-rest.ts';
import type { Round } from './plan.ts';
import type { ChaosStack } from './stack.ts';
import { strike } from './strike.ts';
import type { RoundResult } from './verdict.ts';

const USERS = 4;
const PAUSE_MS = 50;
const AROUND_MS = 1_500;
const SETTLED_MS = 60_000;
const TOKEN_MS = 3_600_000;
let rounds = 0;

/** Users on `@parley/client`, whose outbox keeps a message until it is persisted: what the log store forgets they bring again, in order. */
export async function outboxRound(stack: ChaosStack, faults: Round, say: (line: string) => void): Promise<RoundResult> {
  await using ended = new AsyncDisposableStack();
  const looks = await gather(stack, ended);
  let isOver = false;
  const talking = talk(looks, () => isOver);
  await sleep(AROUND_MS);
  const unseen = await strike(stack, { faults, cutClients: () => 0, say });
  const returned = Date.now();
  const ackedNow = () => looks.reduce((sum, { look }) => sum + look.acked.size, 0);
  const before = ackedNow();
  await until(() => ackedNow() > before, SETTLED_MS);
  const backMs = Date.now() - returned;
  await sleep(AROUND_MS);
  isOver = true;
  await talking;
  await allSettled(
    looks.map(({ user }) => user),
    SETTLED_MS,
  );
  const channels = new Set(looks.map(({ look }) => look.channelId));
  const acked = looks.flatMap(({ look }) => [...look.acked.values()]);
  const kept = await keptAtRest(stack.cluster.databaseUrl, channels, acked);
  const observed = await Promise.all(looks.map(({ user, look }) => wholeView(user, look)));
  const found = countViolations(violationsOf({ acked, observed, kept }));
  const order = (found.order ?? 0) + looks.filter((each) => isOutOfOrder(each, kept)).length;
  return {
    faults,
    unseen,
    acked: acked.length,
    persisted: kept.length,
    delivered: observed.reduce((sum, { seen }) => sum + seen.length, 0),
    found: order > 0 ? { ...found, order } : found,
    resyncs: 0,
    ended: 0,
    unreadWrong: 0,
    backMs,
  };
}

interface Seat {
  readonly user: SdkUser;
  readonly look: Look;
}

/** One channel of all, which each of them looks at. */
async function gather(stack: ChaosStack, ended: AsyncDisposableStack): Promise<Seat[]> {
  const balancer = ended.use(await balance(() => stack.apis.map((api) => api.port)));
  const secret = stack.cluster.env.AUTH_SECRET ?? '';
  const round = ++rounds;
  const users = await Promise.all(
    Array.from({ length: USERS }, async (_, i) => {
      const name = `outbox ${round} ${i}`;
      return ended.use(await startSdkUser(balancer.url, name, () => signToken(secret, name, TOKEN_MS)));
    }),
  );
  const [owner, ...others] = users;
  if (!owner) throw new RangeError('a channel needs members');
  const memberIds = others.map((user) => user.userId);
  const { id } = await owner.client.createChannel({ kind: 'group', name: 'outbox', memberIds });
  const seats = users.map((user) => ({ user, look: user.look(id) }));
  await until(() => seats.every(({ look }) => look.channel.store.getSnapshot().state === 'ready'), SETTLED_MS);
  return seats;
}

async function talk(seats: readonly Seat[], isOver: () => boolean): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    for (const { user, look } of seats) user.send(look, `${user.name}: ${i}`);
    await sleep(PAUSE_MS);
  }
}

/** Whether anything that the user said stands elsewhere than where he said it, or is missing. */
function isOutOfOrder({ user, look }: Seat, kept: readonly Kept[]): boolean {
  const own = kept.filter((row) => row.senderId === user.userId);
  const inOrder = own.sort((a, b) => comparePositions(a.position, b.position)).map((row) => row.clientMsgId);
  return inOrder.join() !== look.sent.join();
}
