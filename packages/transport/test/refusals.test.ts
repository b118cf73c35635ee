import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { joinDoor, openDoor, query, rawRequest, upgradeLines } from './door.ts';

/** Path and Host of upgrade requests that no URL can be made of. */
const MALFORMED: [path: string, host: string][] = [
  ['//', 'x'],
  ['/trpc', '['],
  ['/trpc', 'a b'],
  ['/trpc', 'a:99999'],
  ['/trpc', '256.256.256.256'],
  ['/trpc', ''],
  ['http://[', 'x'],
];

async function isServing(url: string): Promise<boolean> {
  const peer = await joinDoor(url);
  peer.ws.send(JSON.stringify(query(1, 'ping')));
  const answer = await peer.next();
  peer.ws.terminate();
  return answer.includes('pong');
}

test('[DOOR-1] a malformed path or Host is answered with 400 or 404, and the process lives', async () => {
  await using open = await openDoor();
  const answers = await Promise.all(MALFORMED.map(([path, host]) => rawRequest(open.port, upgradeLines(path, host))));
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 (400|404) /);
  expect(await rawRequest(open.port, upgradeLines('/trpc', undefined))).toMatch(/^HTTP\/1\.1 400 /);
  expect(await isServing(open.url)).toBe(true);
});

test.each(MALFORMED)('[DOOR-1] control: the stock adapter’s process dies of %j with Host %j', async (path, host) => {
  const child = spawn(process.execPath, [new URL('./fixture/stock.ts', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = await once(child.stdout, 'data');
    const port = Number(String(line));
    expect(await isServing(`ws://127.0.0.1:${port}/trpc`)).toBe(true);
    const exited = once(child, 'exit');
    void rawRequest(port, upgradeLines(path, host));
    expect(await exited).toEqual([1, null]);
  } finally {
    child.kill('SIGKILL');
  }
});

test('[DOOR-6] only the exact path is let in, whatever the query', async () => {
  await using open = await openDoor();
  for (const path of ['/', '/trpcx', '/trpc/', '/trpc/x', '/TRPC', '/other?x=/trpc', '*']) {
    expect(await rawRequest(open.port, upgradeLines(path, 'x')), path).toMatch(/^HTTP\/1\.1 40[04] /);
  }
  expect(await rawRequest(open.port, upgradeLines('/trpc?connectionParams=1', 'x'), 200)).toMatch(
    /^open HTTP\/1\.1 101/,
  );
});

test('[DOOR-8] an Origin other than the host’s own or an allowed one is refused; none at all is let in', async () => {
  await using open = await openDoor({ origins: ['https://chat.example.com'] });
  const ask = (origin: string, host = `127.0.0.1:${open.port}`) =>
    rawRequest(open.port, upgradeLines('/trpc', host, [`Origin: ${origin}`]), 200);
  for (const origin of [
    'https://evil.example',
    'null',
    'nonsense',
    'http://127.0.0.1',
    'https://chat.example.com.evil.example',
    'http://chat.example.com',
  ]) {
    expect(await ask(origin), origin).toMatch(/^HTTP\/1\.1 403 Forbidden/);
  }
  for (const [origin, host] of [
    ['https://chat.example.com'],
    [`http://127.0.0.1:${open.port}`],
    ['https://parley.test', 'parley.test:443'],
    ['https://parley.test', 'PARLEY.test'],
  ] as const) {
    expect(await ask(origin, host), origin).toMatch(/^open HTTP\/1\.1 101/);
  }
  expect(await isServing(open.url)).toBe(true);
  expect(await open.metrics()).toContain('socket_refusals_total{reason="origin"} 6');
});

test('[DOOR-8] with a list of hosts, no other Host is let in', async () => {
  await using open = await openDoor({ hosts: ['chat.example.com', '127.0.0.1'] });
  expect(await rawRequest(open.port, upgradeLines('/trpc', 'evil.example'))).toMatch(/^HTTP\/1\.1 403 /);
  expect(await rawRequest(open.port, upgradeLines('/trpc', 'chat.example.com:80'), 200)).toMatch(
    /^open HTTP\/1\.1 101/,
  );
  expect(await isServing(open.url)).toBe(true);
});

test('[DOOR-1] requests that are no WebSocket handshakes are answered with 4xx', async () => {
  await using open = await openDoor();
  const lines = upgradeLines('/trpc', 'x');
  const without = (word: string) => lines.filter((line) => !line.includes(word));
  const asks = [
    [...without('Upgrade: websocket'), 'Upgrade: h2c'],
    without('Key'),
    without('Version'),
    [...without('Version'), 'Sec-WebSocket-Version: 99'],
    lines.map((line) => line.replace('GET', 'POST')),
    [...lines, 'Sec-WebSocket-Protocol: a,,b'],
  ];
  for (const ask of asks) expect(await rawRequest(open.port, ask), ask.join()).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(await isServing(open.url)).toBe(true);
});

test('[DOOR-9] above the cap of connections an upgrade is refused with 503 and Retry-After', async () => {
  await using open = await openDoor({ limits: { connections: 2 } });
  const peers = [await joinDoor(open.url), await joinDoor(open.url)];
  const refusal = await rawRequest(open.port, upgradeLines('/trpc', 'x'));
  expect(refusal).toMatch(/^HTTP\/1\.1 503 /);
  expect(refusal).toMatch(/retry-after: \d+/i);
  peers[0]?.ws.close();
  await peers[0]?.closed;
  expect(await isServing(open.url)).toBe(true);
});

test('[DOOR-9] sockets that have not said who they are have a cap of their own', async () => {
  await using open = await openDoor({ limits: { unauthenticated: 2 } });
  const silent = [await joinDoor(`${open.url}?connectionParams=1`), await joinDoor(`${open.url}?connectionParams=1`)];
  expect(await rawRequest(open.port, upgradeLines('/trpc', 'x'))).toMatch(/^HTTP\/1\.1 503 /);
  for (const peer of silent) peer.ws.send('{"method":"connectionParams","data":{"token":"ann"}}');
  for (const peer of silent) {
    peer.ws.send(JSON.stringify(query(1, 'whoAmI')));
    expect(await peer.next()).toContain('ann');
  }
  expect(await isServing(open.url)).toBe(true);
});

test('[DOOR-10] handshakes above the rate are refused with 503 and Retry-After, and let in later', async () => {
  await using open = await openDoor({ limits: { handshakes: { burst: 5, perSecond: 2 } } });
  const ask = () => rawRequest(open.port, upgradeLines('/trpc', 'x'), 150);
  const answers = await Promise.all(Array.from({ length: 10 }, ask));
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 503'));
  expect(refused.length).toBeGreaterThanOrEqual(3);
  expect(refused[0]).toMatch(/retry-after: 1/i);
  await expect.poll(() => ask(), { timeout: 5_000, interval: 600 }).toMatch(/101/);
});

test('[DOOR-10] control: without the rate all of them are let in', async () => {
  await using open = await openDoor();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => rawRequest(open.port, upgradeLines('/trpc', 'x'), 150)),
  );
  for (const answer of answers) expect(answer).toMatch(/^open HTTP\/1\.1 101/);
});
