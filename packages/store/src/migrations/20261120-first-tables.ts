import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** Users, channels, members, messages, and the log's cursors, heads, changes and dead letters. */
export class FirstTables extends Migration {
  override up(): void {
    this.addSql(readSql('20261120-first-tables'));
  }
}
