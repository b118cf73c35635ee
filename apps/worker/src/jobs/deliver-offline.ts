import {
  type Clock,
  isQuiet,
  type Notice,
  type OfflineStore,
  type Person,
  type PresenceReader,
  type PushSubscriptions,
} from '@parley/domain';
import { TryLater } from '@parley/queue';
import type { Metrics } from '@parley/runtime';
import type { PushOutcome, WebPush } from '../outlets/web-push.ts';
import type { Webhooks } from '../outlets/webhook.ts';

interface DeliverOfflineParts {
  readonly store: Pick<OfflineStore, 'person' | 'claim' | 'told' | 'untold'>;
  readonly subscriptions: Pick<PushSubscriptions, 'gone'>;
  readonly presence: PresenceReader;
  /** Null: this deployment does not have it. */
  readonly push: WebPush | null;
  readonly webhooks: Webhooks | null;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** How long one outlet may be at what it was asked; who died over it is followed by somebody else after that. */
const LEASE_MS = 30_000;
/** Notices that are asked for at a time: each may take some seconds, and all must be answered within the lease. */
const AT_ONCE = 6;
const WEBHOOK = 'webhook';
const PUSH = 'push:';

/**
 * The job `deliver-offline`: tells one user, by each outlet, what was not delivered to him. It reads where he and each outlet stand from
 * Postgres; what an outlet has taken is written down before the next is asked. So whatever is doubled, killed or tried again, each
 * message is told once by each outlet, but for the one that was being told at that moment: that one comes again under the same id.
 */
export function createDeliverOffline(parts: DeliverOfflineParts) {
  const { store, presence, clock } = parts;
  const asks = parts.metrics.counter(
    'offline_asks_total',
    'Times that outlets were asked to tell somebody, by how it ended',
    ['outlet', 'outcome'],
  );
  return async ({ userId }: { userId: string }, signal: AbortSignal): Promise<void> => {
    if ((await presence.online([userId])).has(userId)) return;
    const person = await store.person(userId);
    if (!person) return;
    const gone = new Set<string>();
    const failed = new Map<string, unknown>();
    let heldUntilMs: number | null;
    for (;;) {
      const outlets = outletsOf(person, parts).filter((outlet) => !failed.has(outlet) && !gone.has(outlet));
      if (outlets.length === 0) return giveUp(failed);
      if (signal.aborted) throw new TryLater(0, 'the process ends');
      const asked = { userId, outlets, nowMs: clock.now(), leaseMs: LEASE_MS, limit: AT_ONCE };
      const claim = await store.claim({ ...asked, known: 'delivered', together: false });
      heldUntilMs = claim.heldUntilMs;
      if (claim.notices.length === 0) break;
      const byOutlet = [...Map.groupBy(claim.notices, (notice) => notice.outlet)];
      await Promise.all(
        byOutlet.map(([outlet, notices]) =>
          tell(parts, person, notices).then(
            (outcome) => {
              asks.inc({ outlet: kindOf(outlet), outcome });
              if (outcome === 'gone') gone.add(outlet);
            },
            (error: unknown) => {
              asks.inc({ outlet: kindOf(outlet), outcome: 'failed' });
              failed.set(outlet, error);
            },
          ),
        ),
      );
    }
    if (failed.size > 0) giveUp(failed);
    if (heldUntilMs !== null) throw new TryLater(Math.max(100, heldUntilMs - clock.now()), 'somebody else is at it');
  };
}

function outletsOf({ wants, subscriptions }: Person, { push, webhooks, clock }: DeliverOfflineParts): string[] {
  const mayPush = push !== null && wants.push && !isQuiet(wants.quietHours, clock.now());
  return [...(mayPush ? subscriptions.map(({ id }) => `${PUSH}${id}`) : []), ...(webhooks ? [WEBHOOK] : [])];
}

function kindOf(outlet: string): string {
  return outlet === WEBHOOK ? outlet : 'push';
}

/** Throws what failed: a try that counts, unless nothing was tried at all because a server is known to be away. */
function giveUp(failed: ReadonlyMap<string, unknown>): void {
  const errors = [...failed.values()];
  const waits = errors.filter((error) => error instanceof TryLater);
  if (waits.length === errors.length && waits.length > 0) {
    throw new TryLater(Math.max(...waits.map((wait) => wait.afterMs)), 'outlets are away');
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} outlets did not take it`);
}

/** Asks one outlet for all of these in order, and writes down each answer. The first failure ends it. */
async function tell(parts: DeliverOfflineParts, person: Person, notices: readonly Notice[]): Promise<PushOutcome> {
  const { store, clock } = parts;
  const left = [...notices];
  try {
    // A queue takes them all at once.
    if (parts.webhooks && notices[0]?.outlet === WEBHOOK) {
      await parts.webhooks.tell(notices.filter(({ count }) => count > 0));
      await store.told(notices, clock.now());
      return 'told';
    }
    for (const notice of notices) {
      if ((await tellOne(parts, person, notice)) === 'gone') return 'gone';
      await store.told([notice], clock.now());
      left.shift();
    }
    return 'told';
  } catch (error) {
    await store.untold(left);
    throw error;
  }
}

async function tellOne(parts: DeliverOfflineParts, person: Person, notice: Notice): Promise<PushOutcome> {
  if (notice.count === 0) return 'told';
  const subscription = person.subscriptions.find(({ id }) => notice.outlet === `${PUSH}${id}`);
  if (!subscription || !parts.push) return 'gone';
  const outcome = await parts.push.tell(subscription, notice);
  if (outcome === 'gone') await parts.subscriptions.gone(subscription.id);
  return outcome;
}
