import { randomUUID } from 'node:crypto';
import { startRedis } from '@parley/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisBroker } from '../packages/cache/src/broker.ts';
import { close, connect, createConnection } from '../packages/cache/src/connections.ts';
import { LogStore } from '../packages/cache/src/log-store.ts';
import { keys, silent, until } from '../packages/cache/test/rig.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server[Symbol.asyncDispose]());

// A reconnect asks for every topic at once. As arguments of one call they overflowed the stack from some 120,000 on, the broker took that
// for a broken connection, and the next one met the same: the thread heard nothing any more. So many would take half a minute here: it is
// enough that no command carries all of them.
it('[FAN-100] no command of a broker names more than 10,000 topics, also when all of them are subscribed again', async () => {
  const redis = createConnection({ url: server.url, kind: 'log', timeoutMs: 10_000, log: silent });
  const subscriber = createConnection({ url: server.url, kind: 'subscriber', log: silent });
  await Promise.all([connect(redis), connect(subscriber)]);
  const heard: string[] = [];
  let suspicions = 0;
  const broker = new RedisBroker({
    store: new LogStore({ redis }),
    subscriber,
    keys,
    events: {
      channel: () => undefined,
      user: (userId) => heard.push(userId),
      everybody: () => undefined,
      suspect: () => suspicions++,
    },
    log: silent,
    patienceMs: 60_000,
    echoEveryMs: 60_000,
  });
  await broker.run();
  const userIds = Array.from({ length: 25_000 }, () => randomUUID());
  await Promise.all(userIds.map((userId) => broker.subscribe({ userId })));
  await redis.config('RESETSTAT');
  subscriber.disconnect(true);
  await until(() => suspicions > 0, 'everything is subscribed again');
  const ends = [userIds[0] ?? '', userIds.at(-1) ?? ''];
  for (const userId of ends) await broker.tellUser(userId, '{}');
  await until(() => heard.length === 2, 'both ends are heard');
  expect(heard).toEqual(ends);
  expect(await redis.info('commandstats')).toContain('cmdstat_subscribe:calls=3,');
  await broker.stop();
  await Promise.all([close(redis), close(subscriber)]);
}, 60_000);
