import type { AdminChannel, AdminUser } from '@parley/domain';
import { type ChannelColumns, channelOf, type UserColumns } from '../archive/rows.ts';
import { positionOrNull } from '../positions.ts';

// Rows as the statements for administrators give them.

export interface AdminUserColumns extends UserColumns {
  readonly email: string | null;
  readonly locale: string | null;
  readonly created_at: number;
  readonly disabled_at: number | null;
  readonly revoked_at: number | null;
  readonly erased_at: number | null;
  readonly channels: number;
}

export function adminUserOf(row: AdminUserColumns): AdminUser {
  return {
    id: row.id,
    name: row.name,
    avatarUrl: row.avatar_url,
    statusText: row.status_text,
    lastSeenAt: row.last_seen_at,
    email: row.email,
    locale: row.locale,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
    revokedAt: row.revoked_at,
    erasedAt: row.erased_at,
    channels: row.channels,
  };
}

export interface AdminChannelColumns extends ChannelColumns {
  readonly member_limit: number;
  readonly head_epoch: number | null;
  readonly head_n: number | null;
  readonly active_at: number;
}

export function adminChannelOf(row: AdminChannelColumns): AdminChannel {
  return {
    ...channelOf(row),
    memberLimit: row.member_limit,
    head: positionOrNull(row.head_epoch, row.head_n),
    activeAt: row.active_at,
  };
}
