import type { Place } from '@parley/protocol';
import type { PushSubscription } from './push-subscriptions.ts';

/** When a user does not want to be reached: from one time of day to another (`HH:MM`), in an IANA time zone. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
}

/** A user as outlets need to know him. */
export interface Person {
  readonly userId: string;
  readonly name: string;
  readonly email: string | null;
  readonly wants: { readonly push: boolean; readonly email: boolean; readonly quietHours: QuietHours | null };
  readonly subscriptions: readonly (PushSubscription & { readonly id: string })[];
}

/** A message that somebody is told of. */
export interface MissedMessage {
  readonly id: string;
  readonly place: Place;
  readonly senderId: string;
  readonly senderName: string;
  readonly sentAt: number;
  /** Null: encrypted, so there is nothing to show. */
  readonly body: string | null;
}

/** What one user has missed of one channel: everything after `after`, up to `upTo`, that he can be told of. */
export interface Missed {
  readonly userId: string;
  readonly channel: {
    readonly id: string;
    readonly kind: string;
    readonly name: string | null;
    readonly encrypted: boolean;
  };
  readonly after: Place;
  readonly upTo: Place;
  /** How many there are: 0 when all of them were deleted since it was first asked. */
  readonly count: number;
  /** The newest ones, newest first. */
  readonly messages: readonly MissedMessage[];
}

/** What was missed without its words, as a job carries it: positions, after the one and up to the other. */
export interface MissedRange {
  readonly userId: string;
  readonly channelId: string;
  readonly after: string;
  readonly upTo: string;
}

/**
 * What one outlet was asked to tell. Until the outlet has answered it is asked for the same `upTo` again, whoever asks and however often:
 * so `upTo` names the telling, and an outlet can know it again.
 */
export interface Notice extends Missed {
  readonly outlet: string;
}

/** Which outlets there are to tell anybody anything. */
export interface OutletsOn {
  readonly push: boolean;
  readonly webhook: boolean;
}

export interface ClaimQuery {
  readonly userId: string;
  readonly outlets: readonly string[];
  readonly nowMs: number;
  /** How long nobody else asks the outlet for the same: as long as it may take to answer. */
  readonly leaseMs: number;
  /** Up to where a user is taken to know: what was delivered to him, or only what he has read. */
  readonly known: 'delivered' | 'read';
  /** One telling covers all channels: nothing is added to it until it is answered. */
  readonly together: boolean;
  /** Notices of one answer; null: all of them. */
  readonly limit: number | null;
}

/**
 * Up to where each user was told of each channel by each outlet. A user is never told of his own messages, of those of people whom he
 * has blocked, or of a channel that he has muted.
 */
export interface OfflineStore {
  /** Members of these channels (null: of those with an entry since `sinceMs`) who have something that an outlet could tell them. */
  membersToTell(query: {
    channelIds: readonly string[];
    sinceMs: number | null;
    nowMs: number;
    outlets: OutletsOn;
  }): Promise<string[]>;
  /** Null: there is no such user. */
  person(userId: string): Promise<Person | null>;
  /**
   * What is to be told now. `heldUntilMs`: somebody else has asked for more, and may still be at it until then; null when nobody has.
   */
  claim(query: ClaimQuery): Promise<{ notices: Notice[]; heldUntilMs: number | null }>;
  /**
   * What an outlet was asked to tell, as it is now: without what was deleted since, and as it was edited. Null: nothing of it is left, or
   * the user may not be told any more.
   */
  stillMissed(range: MissedRange, nowMs: number): Promise<Missed | null>;
  /** The outlet has them: they are never asked for again. */
  told(notices: readonly Notice[], nowMs: number): Promise<void>;
  /** The outlet does not have them, as far as it said: anybody may ask again at once. */
  untold(notices: readonly Notice[]): Promise<void>;
  /** Users with an address and something unread since before `unreadSinceMs`, who got no digest since then. */
  digestsDue(query: { unreadSinceMs: number; activeSinceMs: number; nowMs: number }): Promise<string[]>;
}
