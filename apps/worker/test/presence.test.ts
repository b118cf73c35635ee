import { createMetrics, systemClock } from '@parley/runtime';
import { describe, expect, it } from 'vitest';
import { createDeliverOffline } from '../src/jobs/deliver-offline.ts';
import { createFanOffline } from '../src/jobs/fan-offline.ts';
import { createSendDigest } from '../src/jobs/send-digest.ts';

const online = (...userIds: string[]) => ({ online: async () => new Set(userIds) });
const person = {
  userId: 'ada',
  name: 'Ada',
  email: 'ada@example.org',
  wants: { push: true, email: true, quietHours: null },
  subscriptions: [],
};

/** How often Postgres was asked what somebody is to be told. */
function claims() {
  const made = { count: 0 };
  const store = {
    membersToTell: async () => ['ada', 'bob', 'eve'],
    person: async () => person,
    claim: async () => {
      made.count++;
      return { notices: [], heldUntilMs: null };
    },
    told: async () => undefined,
    untold: async () => undefined,
  };
  return { made, store };
}

describe('[OFF-20] who is online', () => {
  it('is not looked after when something was said', async () => {
    const added: string[] = [];
    const deliver = {
      add: async () => undefined,
      addMany: async (jobs: readonly { payload: { userId: string } }[]) =>
        void added.push(...jobs.map(({ payload }) => payload.userId)),
      close: async () => undefined,
    };
    const outlets = { push: true, webhook: true };
    const parts = { store: claims().store, deliver, outlets, afterMs: 1, clock: systemClock };
    await createFanOffline({ ...parts, presence: online('bob') })({ channelIds: ['c'] });
    expect(added).toEqual(['ada', 'eve']);
    await createFanOffline({ ...parts, presence: online() })({ channelIds: ['c'] });
    expect(added).toEqual(['ada', 'eve', 'ada', 'bob', 'eve']);
  });

  it('or has come back meanwhile is told nothing', async () => {
    const { made, store } = claims();
    const webhooks = { tell: async () => undefined };
    const subscriptions = { gone: async () => undefined };
    const parts = { store, subscriptions, push: null, webhooks, clock: systemClock, metrics: createMetrics() };
    const signal = new AbortController().signal;
    await createDeliverOffline({ ...parts, presence: online('ada') })({ userId: 'ada' }, signal);
    expect(made.count).toBe(0);
    await createDeliverOffline({ ...parts, presence: online('bob') })({ userId: 'ada' }, signal);
    expect(made.count).toBe(1);
  });

  it('is sent no mail', async () => {
    const { made, store } = claims();
    const parts = { store, mailer: { send: async () => undefined }, pageUrl: null, clock: systemClock };
    await createSendDigest({ ...parts, presence: online('ada') })({ userId: 'ada' });
    expect(made.count).toBe(0);
    await createSendDigest({ ...parts, presence: online() })({ userId: 'ada' });
    expect(made.count).toBe(1);
  });
});
