import { randomUUID } from 'node:crypto';
import type { EpochLock } from '@parley/domain';
import { startRedis } from '@parley/testing';
import { it } from 'vitest';
import { FakeLedger, FakeSource, startNode, until } from '../packages/cache/test/rig.ts';

/** Postgres takes its time over opening an epoch. */
class SlowLedger extends FakeLedger {
  opening: PromiseWithResolvers<void> | undefined;
  readonly gate = Promise.withResolvers<void>();

  override locked<T>(work: (lock: EpochLock) => Promise<T>): Promise<T> {
    return super.locked((lock) =>
      work({
        ...lock,
        open: async (server) => {
          this.opening?.resolve();
          if (this.opening) await this.gate.promise;
          return lock.open(server);
        },
      }),
    );
  }
}

it('a log store that is replaced again while an epoch is being opened is noticed without a send', async () => {
  await using server = await startRedis();
  const ledger = new SlowLedger();
  const source = new FakeSource(ledger);
  source.add([randomUUID()]);
  await using node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();

  const opening = Promise.withResolvers<void>();
  ledger.opening = opening;
  await server.restart();
  await opening.promise;
  await server.restart();
  await until(() => node.redis.status === 'ready', 'the second reconnect');
  ledger.gate.resolve();

  const runId = /run_id:(\w+)/.exec(await node.redis.info('server'))?.[1];
  await until(() => node.epochs.current.server.runId === runId, 'agreement with the server that is there now');
});
