import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedis } from '@parley/testing';
import { needs } from '@parley/testing/vitest';
import { describe, expect, it } from 'vitest';
import { Crowd } from './bench/crowd.ts';
import { startPeer } from './bench/peer.ts';
import type { Report } from './bench/report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const peers = needs('npm ci in load-tests', `${ROOT}load-tests/node_modules/ws/package.json`);

/** A crowd of three on the floor, the least of the peers. */
async function floor(text: string) {
  await using started = new AsyncDisposableStack();
  const redis = started.use(await startRedis({ appendonly: 'no' }));
  const server = started.use(await startPeer('raw-ws', { REDIS_URL: redis.url }));
  const crowd = started.use(new Crowd());
  const subscribers = Array.from({ length: 3 }, () => ({ port: server.port, token: '', requestId: 1 }));
  const channels = [{ id: 'room', subscribers, senders: [] }];
  await crowd.open({ name: 'floor', dialect: 'plain', channels, publish: { port: redis.port, text } });
  const owned = started.move();
  return { crowd, redis, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe('[BENCH-3] a run', () => {
  peers.test('counts every delivery', async () => {
    await using rig = await floor('{"body":"@@"}');
    const result = await rig.crowd.run({ kind: 'one at a time', group: 'floor', messages: 20 });
    expect(result).toMatchObject({ messages: 20, deliveries: 60, lost: 0, doubled: 0 });
    expect(result.deliveryMs.p99).toBeGreaterThan(0);
  });

  peers.test('control: what comes twice gives no figure', async () => {
    await using rig = await floor('{"body":"@@"}');
    // Somebody else publishes the number that the run will give out next.
    const { RedisLine } = await import('./bench/redis-line.ts');
    const line = await RedisLine.connect(rig.redis.port);
    const twice = setInterval(() => line.send('PUBLISH', 'room', '{"body":"~#000000001 again"}'), 1);
    const run = rig.crowd.run({ kind: 'paced', group: 'floor', perSecond: 50, forMs: 400 });
    await expect(run).rejects.toThrow(/[1-9]\d* doubled/);
    clearInterval(twice);
    line.close();
  });
});

peers.test(
  '[BENCH-5] a row is measured on real servers, printed as a table and written as JSON; the exit code is the verdict',
  async () => {
    const out = await mkdtemp(join(tmpdir(), 'parley-bench-'));
    const args = [
      '--conditions=@parley/source',
      'tools/bench.ts',
      '--only',
      'B7',
      '--quick',
      '--pairs',
      '1',
      '--out',
      out,
    ];
    const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('| B7 | SQL statements per 1,000 messages');
    expect(stdout.trim().split('\n').at(-1)).toMatch(/^bench: 0 of 1 targets met, 0 missed, 1 open \(B7\), 0 failed$/);
    const report: Report = JSON.parse(await readFile(join(out, 'latest.json'), 'utf8'));
    expect(report.lines).toMatchObject([{ id: 'B7', rounds: 1, verdict: { is: 'open' } }]);
    expect(report.lines[0]?.measured.median).toBeGreaterThan(0);
    expect(await readFile(join(out, 'latest.md'), 'utf8')).toContain(report.commit);
    await rm(out, { recursive: true });
  },
  120_000,
);

it('[BENCH-5] what is asked for and is not there ends with 2 and says so', async () => {
  const args = ['--conditions=@parley/source', 'tools/bench.ts', '--only', 'B99'];
  const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, text: stderr }),
    );
  });
  expect({ code, text }).toEqual({ code: 2, text: expect.stringContaining('no such row: B99') });
});
