import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** Indexes for browsing public channels. */
export class Reads extends Migration {
  override up(): void {
    this.addSql(readSql('20261126-reads'));
  }
}
