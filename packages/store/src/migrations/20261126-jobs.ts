import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** What workers keep beside the log: who was told what, where to push, what was removed, what was counted. */
export class Jobs extends Migration {
  override up(): void {
    this.addSql(readSql('20261126-jobs'));
  }
}
