import { type Clock, digestMail, isQuiet, type Notice, type OfflineStore, type PresenceReader } from '@parley/domain';
import { TryLater } from '@parley/queue';
import { noticeId } from '../offline/notice-id.ts';
import type { Mailer } from '../outlets/mail.ts';

interface SendDigestParts {
  readonly store: Pick<OfflineStore, 'person' | 'claim' | 'told' | 'untold'>;
  readonly presence: PresenceReader;
  readonly mailer: Pick<Mailer, 'send'>;
  /** Where people open the page, for a link in the mail. */
  readonly pageUrl: string | null;
  readonly clock: Clock;
}

const LEASE_MS = 60_000;

/** The job `send-digest`: one mail about everything that a user has not read. What he was mailed about is not mailed again. */
export function createSendDigest({ store, presence, mailer, pageUrl, clock }: SendDigestParts) {
  return async ({ userId }: { userId: string }): Promise<void> => {
    const person = await store.person(userId);
    // Who comes back or has his quiet now is planned again later.
    if (!person?.email || !person.wants.email || isQuiet(person.wants.quietHours, clock.now())) return;
    if ((await presence.online([userId])).has(userId)) return;
    const asked = { userId, outlets: ['email'], nowMs: clock.now(), leaseMs: LEASE_MS, limit: null };
    const { notices, heldUntilMs } = await store.claim({ ...asked, known: 'read', together: true });
    if (heldUntilMs !== null) throw new TryLater(Math.max(100, heldUntilMs - clock.now()), 'somebody else is at it');
    const worth = notices.filter(({ count }) => count > 0);
    try {
      if (worth.length > 0) await mailer.send(mailOf(person.email, worth));
    } catch (error) {
      await store.untold(notices);
      throw error;
    }
    await store.told(notices, clock.now());

    function mailOf(to: string, about: readonly Notice[]) {
      return { to, id: noticeId(...notices), ...digestMail({ name: person?.name ?? '' }, about, pageUrl) };
    }
  };
}
