import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../src/cluster.ts';
import { StockUser, signIn } from './stock-user.ts';

/** Users who watch their channels. */
export interface Crowd extends AsyncDisposable {
  readonly users: readonly StockUser[];
  readonly channels: readonly { readonly id: string; readonly members: readonly StockUser[] }[];
}

interface CrowdSize {
  readonly users: number;
  readonly channels: number;
  readonly perChannel: number;
  /** The one address that everybody connects to; by default that of a random node each time. */
  readonly url?: string;
}

/** Users on random nodes of a cluster, in channels of `perChannel` members each, every member watching every channel of his. */
export async function gather(cluster: Cluster, size: CrowdSize): Promise<Crowd> {
  const anyNode = () =>
    (cluster.apis.at(Math.floor(Math.random() * cluster.apis.length)) ?? cluster.apis[0])?.url ?? '';
  // Names of their own: what one crowd did does not count against the limits of the next.
  const crowd = randomUUID().slice(0, 8);
  const users = await Promise.all(
    Array.from({ length: size.users }, async (_, i) => {
      const name = `${crowd}-${i}`;
      return new StockUser(name, await signIn(anyNode(), name), () => size.url ?? anyNode());
    }),
  );
  const channels = await Promise.all(
    Array.from({ length: size.channels }, async (_, c) => {
      const members = Array.from({ length: size.perChannel }, (__, i) => users[(c * 3 + i) % size.users]).filter(
        (u) => u !== undefined,
      );
      const [owner, ...others] = members;
      if (!owner) throw new RangeError('a channel needs members');
      const { id } = await owner.client.channel.create.mutate({
        kind: 'group',
        name: `channel ${c}`,
        memberIds: others.map((user) => user.userId),
      });
      return { id, members };
    }),
  );
  await Promise.all(channels.flatMap(({ id, members }) => members.map((user) => user.watch(id))));
  return {
    users,
    channels,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(users.map((user) => user[Symbol.asyncDispose]()));
    },
  };
}

/** Every member sends in his channels, one after the other in each, for as long as `more` says so, with a pause after each answer. */
export async function talk(crowd: Crowd, more: () => boolean, pauseMs = 0): Promise<void> {
  await Promise.all(
    crowd.channels.flatMap(({ id, members }) =>
      members.map(async (user) => {
        for (let i = 0; more(); i++) {
          await user.send(id, `from ${user.name}: ${i}`);
          if (pauseMs > 0) await sleep(pauseMs);
        }
      }),
    ),
  );
}

/** So many calls, then no more. */
export function times(count: number): () => boolean {
  let left = count;
  return () => left-- > 0;
}

/** Waits until every watch has seen as many messages as its channel was answered for, or the time is over. */
export async function settled(crowd: Crowd, withinMs: number): Promise<void> {
  const sent = new Map<string, number>();
  for (const user of crowd.users)
    for (const { channelId } of user.acked) sent.set(channelId, (sent.get(channelId) ?? 0) + 1);
  const behind = () =>
    crowd.users.some((user) => user.watches.some((watch) => watch.seen.length < (sent.get(watch.channelId) ?? 0)));
  for (const deadline = Date.now() + withinMs; behind() && Date.now() < deadline; ) await sleep(50);
}
