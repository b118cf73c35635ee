import { randomUUID } from 'node:crypto';
import type { AppRouter } from '@parley/api/router';
import { createTRPCClient, httpLink } from '@trpc/client';
import type { PlannedChannel } from './crowd.ts';

/** One user who exists, with a token of an hour. */
export interface Actor {
  readonly token: string;
  readonly userId: string;
}

/** A channel that exists; its members are indexes of actors. */
export interface Scene {
  readonly id: string;
  readonly members: readonly number[];
  readonly share: number;
}

/** Everybody and everything that a run needs, made before its first arrival. */
export interface Cast {
  readonly actors: readonly Actor[];
  readonly scenes: readonly Scene[];
}

const AT_ONCE = 16;

/** Makes users and channels at a server that gives out tokens to anybody (`DEV_TOKENS`). Channels without any plan are none. */
export async function makeCast(url: string, users: number, plan: readonly PlannedChannel[]): Promise<Cast> {
  const crowd = randomUUID().slice(0, 8);
  const actors = await inTurn(
    Array.from({ length: users }, (_, index) => `load ${crowd} ${index}`),
    (name) => signUp(url, name),
  );
  const scenes = await inTurn([...plan], async ({ owner, members, share }, index) => {
    const memberIds = members.filter((member) => member !== owner).flatMap((member) => actors[member]?.userId ?? []);
    const client = clientOf(url, actors[owner]?.token ?? '');
    const { id } = await client.channel.create.mutate({ kind: 'group', name: `load ${crowd} ${index}`, memberIds });
    return { id, members, share };
  });
  return { actors, scenes };
}

/** A user exists from his first call on. */
async function signUp(url: string, name: string): Promise<Actor> {
  const answer = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Error(`no token from ${url}: ${answer.status}. Is DEV_TOKENS on, and is it this machine?`);
  const actor = actorOf(await answer.text());
  await clientOf(url, actor.token).user.me.query();
  return actor;
}

const actorOf = (text: string): Actor => JSON.parse(text) as Actor;

/** The same router over HTTP. */
export function clientOf(url: string, token: string) {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
  });
}

/** All of it, a few at a time, results in order. */
async function inTurn<T, R>(items: readonly T[], act: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Map<number, R>();
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results.set(index, await act(item, index));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return items.flatMap((_, index) => results.get(index) ?? []);
}
