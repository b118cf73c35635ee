import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** What becomes of messages (threads, reactions, mentions), and invitations. */
export class Changes extends Migration {
  override up(): void {
    this.addSql(readSql('20261125-changes'));
  }
}
