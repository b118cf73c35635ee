import type { Missed, MissedMessage, Notice, OfflineStore, Person, QuietHours } from '@parley/domain';
import { type Place, parsePosition } from '@parley/protocol';
import type { Database } from './database.ts';
import { statement } from './statement.ts';

const MEMBERS_TO_TELL = statement('members-to-tell');
const PERSON = statement('person');
const CLAIM = statement('claim-notices');
const STILL_MISSED = statement('still-missed');
const ANSWER = statement('answer-notices');
const DIGESTS_DUE = statement('digests-due');

interface UserRow {
  readonly user_id: string;
}

interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly push: boolean;
  readonly mail: boolean;
  readonly quiet_hours: QuietHours | null;
  readonly subscriptions: readonly {
    readonly id: string;
    readonly endpoint: string;
    readonly p256dh: string;
    readonly auth: string;
    readonly expires_at: number | null;
  }[];
}

type Pair = readonly [epoch: number, n: number];

interface MissedRow {
  readonly channel: {
    readonly id: string;
    readonly kind: string;
    readonly name: string | null;
    readonly encrypted: boolean;
  };
  readonly after: Pair;
  readonly up_to: Pair;
  readonly count: number;
  readonly messages: readonly {
    readonly id: string;
    readonly epoch: number;
    readonly n: number;
    readonly sender_id: string;
    readonly sender_name: string | null;
    readonly sent_at: number;
    readonly body: string;
    readonly hidden: boolean;
  }[];
}

interface NoticeRow extends MissedRow {
  readonly outlet: string;
}

interface ClaimRow {
  readonly held_until: number | null;
  readonly notices: readonly NoticeRow[];
}

/** Who was told what while he was away. */
export function offlineStore(database: Database): OfflineStore {
  return {
    membersToTell: async ({ channelIds, sinceMs, nowMs, outlets }) => {
      const values = [channelIds, nowMs, outlets.push, outlets.webhook, sinceMs];
      return (await database.query<UserRow>(MEMBERS_TO_TELL, values)).map((row) => row.user_id);
    },
    person: async (userId) => {
      const [row] = await database.query<PersonRow>(PERSON, [userId, Date.now()]);
      return row ? personOf(row) : null;
    },
    claim: async ({ userId, outlets, nowMs, leaseMs, known, together, limit }) => {
      const values = [userId, outlets, nowMs, leaseMs, known === 'read', together, limit];
      const [row] = await database.query<ClaimRow>(CLAIM, values);
      return {
        notices: row?.notices.map((notice) => ({ ...missedOf(userId, notice), outlet: notice.outlet })) ?? [],
        heldUntilMs: row?.held_until ?? null,
      };
    },
    stillMissed: async ({ userId, channelId, ...range }, nowMs) => {
      const [after, upTo] = [parsePosition(range.after), parsePosition(range.upTo)];
      const values = [userId, channelId, after.epoch, after.n, upTo.epoch, upTo.n, nowMs];
      const [row] = await database.query<MissedRow>(STILL_MISSED, values);
      return row ? missedOf(userId, row) : null;
    },
    told: (notices, nowMs) => answer(database, notices, { told: true, nowMs }),
    untold: (notices) => answer(database, notices, { told: false, nowMs: 0 }),
    digestsDue: async ({ unreadSinceMs, activeSinceMs, nowMs }) => {
      const rows = await database.query<UserRow>(DIGESTS_DUE, [nowMs, unreadSinceMs, activeSinceMs]);
      return rows.map((row) => row.user_id);
    },
  };
}

async function answer(
  database: Database,
  notices: readonly Notice[],
  { told, nowMs }: { told: boolean; nowMs: number },
): Promise<void> {
  if (notices.length === 0) return;
  await database.query(ANSWER, [
    notices.map((notice) => notice.userId),
    notices.map((notice) => notice.outlet),
    notices.map((notice) => notice.channel.id),
    notices.map((notice) => notice.upTo.epoch),
    notices.map((notice) => notice.upTo.n),
    nowMs,
    told,
  ]);
}

function personOf(row: PersonRow): Person {
  return {
    userId: row.id,
    name: row.name,
    email: row.email,
    wants: { push: row.push, email: row.mail, quietHours: row.quiet_hours },
    subscriptions: row.subscriptions.map(({ id, endpoint, p256dh, auth, expires_at }) => ({
      id,
      endpoint,
      p256dh,
      auth,
      expiresAt: expires_at,
    })),
  };
}

function missedOf(userId: string, { channel, after, up_to, count, messages }: MissedRow): Missed {
  const { id, kind, name, encrypted } = channel;
  return {
    userId,
    channel: { id, kind, name, encrypted },
    after: placeOf(after),
    upTo: placeOf(up_to),
    count,
    messages: messages.map(messageOf),
  };
}

function messageOf(row: MissedRow['messages'][number]): MissedMessage {
  return {
    id: row.id,
    place: { epoch: row.epoch, n: row.n },
    senderId: row.sender_id,
    senderName: row.sender_name ?? '',
    sentAt: row.sent_at,
    body: row.hidden ? null : row.body,
  };
}

function placeOf([epoch, n]: Pair): Place {
  return { epoch, n };
}
