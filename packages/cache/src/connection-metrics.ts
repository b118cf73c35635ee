import { COMMAND_BUCKETS, type Metrics } from '@parley/runtime';
import type { Command, Redis } from 'ioredis';
import type { ConnectionKind } from './connections.ts';

type Measure = Pick<Metrics, 'counter' | 'histogram'>;

/** Times each command from its sending to its reply, those of pipelines too, and counts what failed and how often the connection came back. */
export function measureConnection(redis: Redis, store: ConnectionKind, metrics: Measure): void {
  countReconnects(redis, store, metrics);
  // A subscriber's replies say nothing of how fast the server is.
  if (store !== 'subscriber') timeCommands(redis, store, metrics);
}

function countReconnects(redis: Redis, store: ConnectionKind, metrics: Measure): void {
  const help = 'Connections to Redis that were lost and came back';
  const reconnects = metrics.counter('redis_reconnects_total', help, ['store']).labels(store);
  reconnects.inc(0);
  let lives = 0;
  redis.on('ready', () => {
    if (lives++ > 0) reconnects.inc();
  });
}

function timeCommands(redis: Redis, store: ConnectionKind, metrics: Measure): void {
  const seconds = metrics.histogram('redis_command_seconds', 'A command of Redis from its sending to its reply', {
    labels: ['store', 'command'],
    buckets: COMMAND_BUCKETS,
  });
  const help = 'Commands of Redis that were refused, or not answered in time';
  const failures = metrics.counter('redis_command_failures_total', help, ['store']).labels(store);
  failures.inc(0);
  // One child for each command that our code has: they are few, and no label object is made for a call.
  const children = new Map<string, { observe(value: number): void }>();
  const childOf = (command: string) => {
    const known = children.get(command);
    if (known) return known;
    const child = seconds.labels(store, command);
    children.set(command, child);
    return child;
  };
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command: Command, ...rest: unknown[]) => {
    const began = performance.now();
    command.promise.then(
      () => childOf(command.name).observe((performance.now() - began) / 1_000),
      (error: unknown) => {
        // A server that does not know a script gets its text next: nothing has failed.
        if (!String(error).includes('NOSCRIPT')) failures.inc();
      },
    );
    return send(command, ...(rest as []));
  };
}
