import { defineEntity, p } from '@mikro-orm/core';

/** Why a user may not come in, or only with a token newer than a time. Of most users there is no row. */
export const UserStandingEntity = defineEntity({
  name: 'UserStanding',
  tableName: 'user_standing',
  properties: {
    userId: p.uuid().primary(),
    disabledAt: p.bigint('number').nullable(),
    revokedAt: p.bigint('number').nullable(),
    erasedAt: p.bigint('number').nullable(),
  },
});

/** A session, as the issuer of tokens names it, that was ended for good. */
export const RevokedSessionEntity = defineEntity({
  name: 'RevokedSession',
  tableName: 'revoked_sessions',
  properties: { userId: p.uuid().primary(), sid: p.text().primary(), at: p.bigint('number') },
});

/** What was told to everybody. */
export const AnnouncementEntity = defineEntity({
  name: 'Announcement',
  tableName: 'announcements',
  properties: { id: p.uuid().primary(), text: p.text(), at: p.bigint('number') },
  indexes: [{ name: 'announcements_at_index', properties: ['at', 'id'] }],
});

/** Who did what by the admin API. A trigger refuses every change of a row. `outcome` null: asked, and not answered yet. */
export const AuditEntity = defineEntity({
  name: 'Audit',
  tableName: 'audit',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    at: p.bigint('number'),
    callId: p.uuid(),
    actor: p.text(),
    address: p.text(),
    action: p.text(),
    target: p.text().nullable(),
    outcome: p.text().nullable(),
  },
  triggers: [
    {
      name: 'audit_append_only',
      timing: 'before',
      events: ['update', 'delete', 'truncate'],
      forEach: 'statement',
      expression:
        'create trigger audit_append_only before update or delete or truncate on audit for each statement execute function refuse_change()',
    },
  ],
});

/** A channel that is no more. `removedAt` null: rows of it may still be there. */
export const DeletedChannelEntity = defineEntity({
  name: 'DeletedChannel',
  tableName: 'deleted_channels',
  properties: {
    id: p.uuid().primary(),
    deletedAt: p.bigint('number'),
    removedAt: p.bigint('number').nullable(),
  },
});

/** A user who is to be forgotten, how far that is, and on which Postgres it was finished last. */
export const ErasureEntity = defineEntity({
  name: 'Erasure',
  tableName: 'erasures',
  properties: {
    userId: p.uuid().primary(),
    askedAt: p.bigint('number'),
    completedAt: p.bigint('number').nullable(),
    pgSystem: p.text().nullable(),
    pgTimeline: p.bigint('number').nullable(),
    afterChannel: p.uuid().nullable(),
    erased: p.json<Record<string, number>>().nullable(),
  },
});
