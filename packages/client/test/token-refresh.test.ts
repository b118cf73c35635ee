import { expect, test } from 'vitest';
import { expiryOf, TokenRefresh } from '../src/connection/token-refresh.ts';
import { FakeApi, lostSocket, refusal } from './fake-server.ts';
import { ManualClock } from './manual-clock.ts';

function tokenUntil(at: number): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part({ sub: 'ü', exp: Math.floor(at / 1_000) })}.sig`;
}

function scene() {
  const clock = new ManualClock();
  const api = new FakeApi();
  const refreshed: number[] = [];
  const failures: Error[] = [];
  api.handlers['session.refresh'] = ({ token }) => {
    refreshed.push(clock.now());
    const failure = failures.shift();
    if (failure) throw failure;
    return { expiresAt: expiryOf(token) ?? 0 };
  };
  let expiresAt: number | null = null;
  const getToken = () => tokenUntil(expiresAt ?? clock.now() + 600_000);
  const refresh = new TokenRefresh({ api, getToken, clock, random: () => 0.5 });
  const start = clock.now();
  const expireAt = (at: number) => {
    expiresAt = at;
  };
  return { clock, refresh, refreshed: () => refreshed.map((at) => at - start), failures, start, expireAt };
}

test('[CLIENT-22] a token is replaced a minute before it expires, and so is the next one', async () => {
  const { clock, refresh, refreshed, start } = scene();
  refresh.follow(tokenUntil(start + 300_000));
  await clock.advance(1_000_000);
  expect(refreshed()).toEqual([240_000, 780_000]);
});

test('[CLIENT-22] a refresh that fails is repeated; one that is refused is not', async () => {
  const { clock, refresh, refreshed, failures, start } = scene();
  failures.push(lostSocket(), refusal('UNAUTHENTICATED'));
  refresh.follow(tokenUntil(start + 300_000));
  await clock.advance(1_000_000);
  expect(refreshed()).toEqual([240_000, 240_250]);
});

test('[CLIENT-22] a short token is replaced in time, an opaque one never, and none after stopping', async () => {
  const { clock, refresh, refreshed, start } = scene();
  refresh.follow('opaque');
  refresh.follow(tokenUntil(start + 30_000));
  await clock.advance(29_000);
  expect(refreshed()).toEqual([24_000]);
  refresh.stop();
  await clock.advance(1_000_000);
  expect(refreshed()).toHaveLength(1);
});

test('[CLIENT-22] a token that lives for seconds is replaced in time; after the same one again it is asked a few times, not in a loop', async () => {
  const { clock, refresh, refreshed, start } = scene();
  refresh.follow(tokenUntil(start + 4_000));
  await clock.advance(3_500);
  expect(refreshed()).toEqual([3_200]);

  const stale = scene();
  stale.expireAt(stale.start + 4_000);
  stale.refresh.follow(tokenUntil(stale.start + 4_000));
  await stale.clock.advance(30_000);
  expect(stale.refreshed().length).toBeGreaterThan(1);
  expect(stale.refreshed().length).toBeLessThan(12);
});
