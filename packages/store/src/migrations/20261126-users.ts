import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** What users say of themselves, blocks, and what administrators do: standing, revocations, audit, deletions, erasures. */
export class Users extends Migration {
  override up(): void {
    this.addSql(readSql('20261126-users'));
  }
}
