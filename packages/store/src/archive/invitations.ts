import type { Admission, Archive } from '@parley/domain';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { type ChannelColumns, channelOf } from './rows.ts';

const ADMISSION = statement('admission');
const INVITE = statement('invite');
const INVITATIONS = statement('invitations');
const FORGET_INVITATION = statement('forget-invitation');

type Invitations = Pick<Archive, 'admission' | 'invite' | 'invitations' | 'forgetInvitation'>;

interface AdmissionColumns extends Omit<Admission, 'silencedUntil'> {
  readonly silenced_until: number;
}

/** Who may come into which channel by himself. */
export function invitations(database: Database): Invitations {
  return {
    admission: async (channelId, userId) => {
      const [row] = await database.query<AdmissionColumns>(ADMISSION, [channelId, userId]);
      return row ? { kind: row.kind, invited: row.invited, silencedUntil: row.silenced_until } : null;
    },
    invite: async ({ channelId, invitedBy, userIds }) => {
      const rows = await database.query<{ user_id: string }>(INVITE, [channelId, invitedBy, userIds]);
      return rows.map((row) => row.user_id);
    },
    invitations: async (userId) => {
      const rows = await database.query<{ channel: ChannelColumns; invited_by: string; at: number }>(INVITATIONS, [
        userId,
      ]);
      return rows.map((row) => ({ channel: channelOf(row.channel), invitedBy: row.invited_by, invitedAt: row.at }));
    },
    forgetInvitation: async (channelId, userId) => {
      await database.query(FORGET_INVITATION, [channelId, userId]);
    },
  };
}
