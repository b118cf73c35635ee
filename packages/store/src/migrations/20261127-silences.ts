import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** Silences of those who went; and no more invitations of members. */
export class Silences extends Migration {
  override up(): void {
    this.addSql(readSql('20261127-silences'));
  }
}
