import { Migration } from '@mikro-orm/migrations';
import { readSql } from '../sql-file.ts';

/** What is attached to messages. */
export class AttachmentTables extends Migration {
  override up(): void {
    this.addSql(readSql('20261126-attachments'));
  }
}
