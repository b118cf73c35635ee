import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type Options } from '@mikro-orm/postgresql';
import {
  AnnouncementEntity,
  AuditEntity,
  DeletedChannelEntity,
  ErasureEntity,
  RevokedSessionEntity,
  UserStandingEntity,
} from './entities/admin.ts';
import { AnalyticsChannelDayEntity, AnalyticsDayEntity } from './entities/analytics.ts';
import { AttachmentEntity } from './entities/attachment.ts';
import { BlockEntity } from './entities/block.ts';
import { ChannelEntity } from './entities/channel.ts';
import { ChannelMemberEntity } from './entities/channel-member.ts';
import { InvitationEntity } from './entities/invitation.ts';
import { ChannelHeadEntity, DeadLetterEntity, LogChangeEntity, LogPartitionEntity } from './entities/log.ts';
import { MentionEntity } from './entities/mention.ts';
import { MessageEntity } from './entities/message.ts';
import { OfflineNoticeEntity, PushSubscriptionEntity } from './entities/offline.ts';
import { ReactionEntity } from './entities/reaction.ts';
import { SilenceEntity } from './entities/silence.ts';
import { UserEntity } from './entities/user.ts';
import { FirstTables } from './migrations/20261120-first-tables.ts';
import { Changes } from './migrations/20261125-changes.ts';
import { AttachmentTables } from './migrations/20261126-attachments.ts';
import { Jobs } from './migrations/20261126-jobs.ts';
import { Reads } from './migrations/20261126-reads.ts';
import { Users } from './migrations/20261126-users.ts';
import { Silences } from './migrations/20261127-silences.ts';
import { Restores } from './migrations/20261128-restores.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly schema: string | null;
  readonly applicationName: string;
  readonly poolMax: number;
  /** 0: no limit. */
  readonly statementTimeoutMs: number;
  /** A statement that takes longer is warned of. */
  readonly slowMs?: number;
  readonly warn: (message: string) => void;
}

const CONNECT_TIMEOUT_MS = 3_000;
const IDLE_TIMEOUT_MS = 30_000;

/** How MikroORM meets our Postgres. Nothing connects before the first statement. */
export function ormConfig(options: ConnectionOptions): Options {
  return defineConfig({
    clientUrl: options.url,
    ...(options.schema === null ? {} : { schema: options.schema }),
    entities: [
      UserEntity,
      ChannelEntity,
      ChannelMemberEntity,
      MessageEntity,
      LogPartitionEntity,
      ChannelHeadEntity,
      LogChangeEntity,
      DeadLetterEntity,
      ReactionEntity,
      MentionEntity,
      InvitationEntity,
      SilenceEntity,
      AttachmentEntity,
      BlockEntity,
      UserStandingEntity,
      RevokedSessionEntity,
      AnnouncementEntity,
      AuditEntity,
      DeletedChannelEntity,
      ErasureEntity,
      PushSubscriptionEntity,
      OfflineNoticeEntity,
      AnalyticsChannelDayEntity,
      AnalyticsDayEntity,
    ],
    extensions: [Migrator],
    // It would connect and query at once: a process that starts while Postgres is down would die of it.
    ensureDatabase: false,
    pool: { min: 0, max: options.poolMax, idleTimeoutMillis: IDLE_TIMEOUT_MS },
    driverOptions: driverOptions(options),
    migrations: {
      migrationsList: [
        { name: '20261120-first-tables', class: FirstTables },
        { name: '20261125-changes', class: Changes },
        { name: '20261126-attachments', class: AttachmentTables },
        { name: '20261126-users', class: Users },
        { name: '20261126-reads', class: Reads },
        { name: '20261126-jobs', class: Jobs },
        { name: '20261127-silences', class: Silences },
        { name: '20261128-restores', class: Restores },
      ],
      tableName: 'migrations',
      snapshot: false,
      disableForeignKeys: false,
      silent: true,
    },
    logger: options.warn,
    colors: false,
    schemaGenerator: { skipViews: ['pg_stat_statements', 'pg_stat_statements_info'] },
  });
}

function driverOptions({ url, schema, applicationName, statementTimeoutMs }: ConnectionOptions) {
  return {
    // Also given as clientUrl, of which MikroORM keeps host, port, user, password and name only: TLS settings would be lost.
    connectionString: url,
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(statementTimeoutMs > 0 && {
      statement_timeout: statementTimeoutMs,
      // The server's own limit does not reach us through a connection that is dead and does not know it.
      query_timeout: statementTimeoutMs + CONNECT_TIMEOUT_MS,
    }),
    ...(schema !== null && { options: `-c search_path="${schema}",public` }),
    onPoolCreated: numbersForBigints,
  };
}

/** The part of `pg`'s pool that sets how values are read. */
interface PoolTypes {
  readonly options: { readonly types: { setTypeParser(oid: number, parse: (text: string) => unknown): void } };
}

const INT8_OID = 20;

/** Positions and times fit in a double for the next 100,000 years. Set on this pool only: other users of `pg` keep their strings. */
function numbersForBigints(pool: PoolTypes): void {
  pool.options.types.setTypeParser(INT8_OID, Number);
}
