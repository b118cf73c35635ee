import { formatPosition } from '@parley/protocol';
import pg from 'pg';
import type { Kept } from '../src/history.ts';

/** Every message that Postgres has. */
export async function keptIn(databaseUrl: string): Promise<Kept[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<
      Record<'channel_id' | 'sender_id' | 'client_msg_id' | 'id' | 'epoch' | 'n', string>
    >('select channel_id, sender_id, client_msg_id, id, epoch, n from messages');
    return rows.map((row) => ({
      channelId: row.channel_id,
      senderId: row.sender_id,
      clientMsgId: row.client_msg_id,
      messageId: row.id,
      position: formatPosition({ epoch: Number(row.epoch), n: Number(row.n) }),
    }));
  } finally {
    await client.end();
  }
}

/** Statements that Postgres has run for this database, of every kind, since the last call with `reset`. */
export async function statementsIn(databaseUrl: string, reset = false): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('create extension if not exists pg_stat_statements');
    const { rows } = await client.query<{ calls: string }>(
      `select coalesce(sum(calls), 0) as calls from pg_stat_statements
       where dbid = (select oid from pg_database where datname = current_database()) and query not like '%pg_stat_statements%'`,
    );
    if (reset) await client.query('select pg_stat_statements_reset()');
    return Number(rows[0]?.calls);
  } finally {
    await client.end();
  }
}
