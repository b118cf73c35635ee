import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { startPrometheus } from '../src/servers/prometheus-server.ts';
import { needs } from '../src/vitest.ts';

const prometheus = needs('prometheus');

/** A process with one counter, which counts how often it was read. */
async function target() {
  let reads = 0;
  const server = createServer((_, response) => {
    reads++;
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
      .end(`# TYPE reads counter\nreads ${reads}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port, [Symbol.asyncDispose]: close };
}

prometheus.test('[MET-90] a real Prometheus reads its targets, answers queries, and is gone afterwards', async () => {
  await using first = await target();
  await using second = await target();
  let url = '';
  {
    await using server = await startPrometheus({
      program: prometheus.path,
      everyMs: 200,
      targets: [{ job: 'one', port: first.port, labels: { role: 'first' } }],
    });
    url = server.url;
    const reads = async (job: string) => (await server.query(`reads{job="${job}"}`))[0];
    await expect.poll(async () => (await reads('one'))?.value ?? 0, { timeout: 15_000 }).toBeGreaterThan(2);
    expect((await reads('one'))?.labels).toMatchObject({ __name__: 'reads', role: 'first' });
    await server.retarget([{ job: 'two', port: second.port }]);
    await expect.poll(async () => (await reads('two'))?.value ?? 0, { timeout: 15_000 }).toBeGreaterThan(0);
    await expect(server.query('not a query')).rejects.toThrow('parse error');
  }
  await expect(fetch(url)).rejects.toThrow();
});
