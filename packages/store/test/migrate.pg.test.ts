import { MikroORM } from '@mikro-orm/postgresql';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../src/database.ts';
import { migrate } from '../src/migrate.ts';
import { ormConfig } from '../src/orm-config.ts';
import { openStore } from '../src/store.ts';
import { directly } from './fixture.ts';

let empty: TestDatabase;
let beside: Database;

beforeEach(async () => {
  empty = await testDatabase();
  beside = directly(empty.url);
});
afterEach(async () => {
  await beside[Symbol.asyncDispose]();
  await empty[Symbol.asyncDispose]();
});

const sql = (text: string) => beside.query<Record<string, string>>({ name: '', text });

/** What would have to be done to the database to make it what the entities say. */
async function difference(url: string): Promise<string> {
  await using orm = new MikroORM(
    ormConfig({ url, schema: null, applicationName: 'test', poolMax: 2, statementTimeoutMs: 0, warn: () => {} }),
  );
  return (await orm.schema.getUpdateSchemaSQL({ wrap: false })).trim();
}

describe('migrations', () => {
  it('[RUN-51] make everything from nothing, once, however many processes begin at the same time', async () => {
    const applied: string[] = [];
    const onApplied = (name: string) => applied.push(name);
    await Promise.all(Array.from({ length: 4 }, () => migrate(empty.url, { onApplied })));
    await migrate(empty.url, { onApplied });
    expect(applied).toEqual([
      '20261120-first-tables',
      '20261125-changes',
      '20261126-attachments',
      '20261126-users',
      '20261126-reads',
      '20261126-jobs',
      '20261127-silences',
      '20261128-restores',
    ]);
    const partitions = await sql('select partition, epoch, read_epoch, read_k from log_partition order by partition');
    expect(partitions).toEqual(
      Array.from({ length: 64 }, (_, partition) => ({ partition, epoch: 0, read_epoch: 0, read_k: 0 })),
    );
  });

  it('[RUN-52] agree with the entities', async () => {
    await migrate(empty.url);
    expect(await difference(empty.url)).toBe('');
  });

  it('control: a column, an index, a check that is missing would be seen', async () => {
    await migrate(empty.url);
    await sql('alter table users drop column locale');
    await sql('drop index messages_body_trgm_index');
    await sql('alter table channels drop constraint channels_member_limit_check');
    const found = await difference(empty.url);
    expect(found).toContain('locale');
    expect(found).toContain('messages_body_trgm_index');
    expect(found).toContain('channels_member_limit_check');
  });

  it('[RUN-53] need no more rights than those of the database’s owner', async () => {
    const role = `owner_${new URL(empty.url).pathname.slice(1)}`;
    await sql(`create role ${role} login password 'secret'`);
    await sql(`do $$ begin execute format('alter database %I owner to ${role}', current_database()); end $$`);
    await sql(`alter schema public owner to ${role}`);
    try {
      await migrate(Object.assign(new URL(empty.url), { username: role, password: 'secret' }).toString());
      const extensions = await sql('select extname from pg_extension');
      expect(extensions).toContainEqual({ extname: 'pg_trgm' });
      expect(extensions).not.toContainEqual({ extname: 'pg_stat_statements' });
    } finally {
      await sql(`reassign owned by ${role} to current_user`);
      await sql(`drop owned by ${role}`);
      await sql(`drop role ${role}`);
    }
  });

  it('[RUN-54] keep two deployments apart by their schema', async () => {
    await migrate(empty.url, { schema: 'first' });
    await migrate(empty.url, { schema: 'second' });
    await using store = openStore({ DATABASE_URL: empty.url, DATABASE_SCHEMA: 'second' }, { name: 'test' });
    await store.check();
    const claims = { id: '20000000-0000-4000-8000-000000000001', avatarUrl: null, email: null, locale: null };
    await store.archive.upsertUser({ ...claims, name: 'Ann' });
    expect(await sql('select count(*) from first.users')).toEqual([{ count: 0 }]);
    expect(await sql('select count(*) from second.users')).toEqual([{ count: 1 }]);
  });
});

/** The indexes that the seeds ask of these tables, and which of ours carries each. */
const INDEXES = {
  'messages of a channel, newest first': 'messages_pkey (channel_id, epoch, n)',
  'messages of a sender in a channel': 'messages_sender_index (channel_id, sender_id, epoch DESC, n DESC)',
  'a message by its client id, once': 'messages_client_msg_unique (channel_id, sender_id, client_msg_id)',
  'a message by its id': 'messages_id_unique (id)',
  'words in any script': 'messages_body_trgm_index (body gin_trgm_ops)',
  'channels of a user': 'channel_members_user_index (user_id, channel_id)',
  'a member of a channel': 'channel_members_pkey (channel_id, user_id)',
  'a user’s channels by when he read them': 'channel_members_user_read_index (user_id, read_at DESC)',
  'members in the order they joined': 'channel_members_joined_index (channel_id, joined_at, user_id)',
  'channels by activity': 'channel_head_at_index (at)',
  'the head of a channel': 'channel_head_pkey (channel_id)',
  'changes after a position': 'log_change_pkey (channel_id, epoch, n)',
  'a change by its operation': 'log_change_operation_index (channel_id, operation_id)',
  'an attachment by its id': 'attachments_pkey (id)',
  'attachments in the order they were announced': 'attachments_created_index (created_at, id)',
  'users by a part of their name': 'users_name_trgm_index (name gin_trgm_ops)',
  'users, newest first': 'users_created_index (created_at, id)',
  'channels, newest first': 'channels_created_index (created_at, id)',
  'whom a user has blocked, and whether another': 'blocks_pkey (user_id, blocked_id)',
  'who has blocked a user': 'blocks_blocked_index (blocked_id)',
  'silences of a user': 'silences_user_index (user_id)',
  'what bars a user': 'user_standing_pkey (user_id)',
  'ended sessions of a user': 'revoked_sessions_pkey (user_id, sid)',
  'the audit, newest first': 'audit_pkey (id)',
  'announcements, newest first': 'announcements_at_index (at, id)',
  'a dead letter by its message': 'dead_letter_operation_index (channel_id, sender_id, client_msg_id)',
  'the browsers of a user': 'push_subscriptions_user_index (user_id, created_at)',
  'a browser by its endpoint': 'push_subscriptions_endpoint_unique (endpoint)',
  'what a user was told': 'offline_notices_pkey (user_id, outlet, channel_id)',
  'messages of a day': "messages_sent_index (sent_at) WITH (autosummarize='on')",
  'the days of a channel': 'analytics_channel_day_channel_index (channel_id, day)',
};

it('[RUN-55] every index that a promised look-up needs is there', async () => {
  await migrate(empty.url);
  const rows = await sql(`select indexname, indexdef from pg_indexes where schemaname = 'public'`);
  const found = rows.map(({ indexname, indexdef }) => `${indexname} ${indexdef?.slice(indexdef.indexOf('('))}`);
  for (const [purpose, index] of Object.entries(INDEXES)) expect(found, purpose).toContain(index);
});
