import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKeys } from '@parley/cache';
import type { TraceAnswer, TraceQuestion } from '@parley/domain';
import type { Redis } from '../doctor/redis-facts.ts';
import type { Happening, Subject } from './timeline.ts';

const ANSWER_MS = 1_000;

interface Connections {
  readonly redis: Redis;
  readonly subscriber: Redis;
}

/** What the threads of all nodes remember of an entry: the newest few thousand only, and what was published, not what a feed filled in. */
export async function nodeHappenings(at: Connections, prefix: string, subject: Subject): Promise<Happening[]> {
  const { channelId, position } = subject;
  const replyTo = `${prefix}:trace:${randomUUID()}`;
  const answers: TraceAnswer[] = [];
  at.subscriber.on('message', (topic: string, text: string) => {
    if (topic === replyTo) answers.push(JSON.parse(text) as TraceAnswer);
  });
  await at.subscriber.subscribe(replyTo);
  const question: TraceQuestion = { type: 'trace', channelId, position, replyTo };
  const asked = await at.redis.publish(createKeys(prefix).everybody, JSON.stringify(question));
  for (const until = Date.now() + ANSWER_MS; answers.length < asked && Date.now() < until; ) await sleep(10);
  return [
    { at: null, by: 'nodes', what: `${answers.length} of ${asked} threads answered what they remember` },
    ...answers.flatMap(({ node, sightings }) => sightings.map(({ what, at }) => ({ at, by: node, what }))),
  ];
}
