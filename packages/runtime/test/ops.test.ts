import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createLog, createMetrics, createOpsServer, mergeMetrics, type OpsServer, reservePort } from '../src/index.ts';

const log = createLog({ name: 'test', level: 'silent' });
const running: OpsServer[] = [];

async function start(options: Partial<Parameters<typeof createOpsServer>[0]> = {}) {
  const server = createOpsServer({
    port: 0,
    host: '127.0.0.1',
    log,
    live: () => true,
    ready: async () => ({ ok: true, dependencies: { postgres: { ok: true } } }),
    metrics: async () => 'up 1\n',
    ...options,
  });
  running.push(server);
  await server.run();
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  return { server, get };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

test('[RUN-11] serves liveness, readiness with each dependency, metrics and views', async () => {
  const { get } = await start({ views: { '/threads': async () => [{ id: 1 }] } });
  expect(await get('/livez')).toEqual({ status: 200, text: '{"ok":true}' });
  expect(await get('/readyz?verbose')).toEqual({
    status: 200,
    text: '{"ok":true,"dependencies":{"postgres":{"ok":true}}}',
  });
  expect(await get('/metrics')).toEqual({ status: 200, text: 'up 1\n' });
  expect(await get('/threads')).toEqual({ status: 200, text: '[{"id":1}]' });
  expect((await get('/nothing')).status).toBe(404);
  expect((await get('/livez', { method: 'POST' })).status).toBe(405);
});

test('[RUN-11] not ready is 503 with the reason; live stays 200', async () => {
  const { get } = await start({
    ready: async () => ({ ok: false, dependencies: { log: { ok: false, detail: 'evicts keys' } } }),
  });
  expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('evicts keys') });
  expect((await get('/livez')).status).toBe(200);
});

test('[RUN-11] a check that fails or hangs is 503 and shows no internals', async () => {
  const failing = await start({ ready: () => Promise.reject(new Error('password=hunter2')) });
  expect(await failing.get('/readyz')).toMatchObject({ status: 503, text: expect.not.stringContaining('hunter2') });
  const hanging = await start({ ready: () => new Promise(() => undefined), answerWithinMs: 50 });
  expect((await hanging.get('/readyz')).status).toBe(503);
  const noMetrics = await start({ metrics: () => Promise.reject(new Error('hunter2')) });
  expect(await noMetrics.get('/metrics')).toMatchObject({ status: 500, text: expect.not.stringContaining('hunter2') });
});

test('stop closes connections that are kept open', async () => {
  const { server, get } = await start();
  await get('/livez');
  await server.stop();
  await server.stop();
  await expect(get('/livez')).rejects.toThrow();
});

test('[RUN-12] a taken port is an error that names host, port and what to do, also when it is shared with reusePort', async () => {
  for (const reusePort of [false, true]) {
    const other = createServer();
    await new Promise<void>((done) => other.listen({ port: 0, host: '127.0.0.1', reusePort }, done));
    const { port } = other.address() as AddressInfo;
    await expect(reservePort({ port, host: '127.0.0.1' })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is taken: stop what listens there, or set PORT to another port`,
    );
    await new Promise((done) => other.close(done));
    expect(await reservePort({ port, host: '127.0.0.1' })).toEqual({ port, shareable: true });
  }
});

test('[RUN-12] control: binding with reusePort does not see another listener', async () => {
  const listen = async (port: number) => {
    const server = createServer();
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen({ port, host: '127.0.0.1', reusePort: true }, done);
    });
    return server;
  };
  const first = await listen(0);
  const second = await listen((first.address() as AddressInfo).port);
  first.close();
  second.close();
});

test('a port that the system chooses is named', async () => {
  const { port } = await reservePort({ port: 0, host: '127.0.0.1' });
  expect(port).toBeGreaterThan(0);
  await expect(reservePort({ port: 1, host: '203.0.113.7', setting: 'OPS_PORT' })).rejects.toThrow('set HOST');
});

test('asking for a metric twice gives the same one; snapshots merge by each gauge’s rule', async () => {
  const thread = async (busy: number) => {
    const metrics = createMetrics({ defaults: { thread: 'one' } });
    metrics.counter('sends_total', 'Sends').inc();
    metrics.counter('sends_total', 'Sends').inc();
    metrics.gauge('busy', 'Busy', { aggregator: 'max' }).set(busy);
    metrics.gauge('open', 'Open', { collect: (gauge) => gauge.set(2) });
    metrics.histogram('took', 'Took', { labels: ['path'], buckets: [1, 2] }).observe({ path: 'a' }, 1.5);
    await sleep(1);
    return structuredClone(await metrics.snapshot());
  };
  const text = await mergeMetrics([await thread(1), await thread(7)]);
  expect(text).toContain('sends_total 4');
  expect(text).toContain('busy 7');
  expect(text).toContain('open 4');
  expect(text).toContain('took_bucket{le="2",path="a"} 2');
  expect(text).toContain('thread_event_loop_utilization');
});

test('[MET-4] what threads have measured adds up to the same in whatever order', async () => {
  const seconds = [0.1, 0.2, 0.3];
  // Control: plain sums do not.
  const plain = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0);
  expect(plain(seconds)).not.toBe(plain(seconds.toReversed()));
  const threads = await Promise.all(
    seconds.map(async (took) => {
      const metrics = createMetrics();
      metrics.histogram('took_seconds', 'Took').observe(took);
      metrics.counter('busy_seconds_total', 'Busy').inc(took);
      return structuredClone(await metrics.snapshot());
    }),
  );
  expect(await mergeMetrics(threads)).toBe(await mergeMetrics(threads.toReversed()));
});
