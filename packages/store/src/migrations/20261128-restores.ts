import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** What is known of a restore: when it was, and up to where the copy had each channel. */
export class Restores extends Migration {
  override up(): void {
    this.addSql(readSql('20261128-restores'));
  }
}
