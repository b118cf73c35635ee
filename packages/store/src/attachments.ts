import type {
  AttachmentCursor,
  AttachmentGraves,
  AttachmentState,
  Attachments,
  StoredAttachment,
} from '@parley/domain';
import type { Database } from './database.ts';
import { statement } from './statement.ts';

const CREATE = statement('create-attachment');
const FIND = statement('attachment');
const READY = statement('ready-attachment');
const USE = statement('use-attachments');
const CONDEMN = statement('condemn-attachments');
const BURY = statement('bury-attachments');

/** Before every attachment. */
const BEGINNING: AttachmentCursor = { createdAt: 0, id: '00000000-0000-0000-0000-000000000000' };

interface AttachmentColumns {
  readonly id: string;
  readonly channel_id: string;
  readonly uploader_id: string;
  readonly file_name: string;
  readonly content_type: string;
  readonly byte_size: number;
  readonly storage_key: string;
  readonly state: AttachmentState;
  readonly message_id: string | null;
}

interface LookedAt {
  readonly id: string;
  readonly created_at: number;
  readonly condemned: boolean;
}

/** What Postgres knows of attachments, for the procedures. */
export function attachments(database: Database): Attachments {
  return {
    create: async ({ id, channelId, uploaderId, fileName, contentType, byteSize, storageKey }) => {
      await database.query(CREATE, [id, channelId, uploaderId, fileName, contentType, byteSize, storageKey]);
    },
    find: async (id) => {
      const [row] = await database.query<AttachmentColumns>(FIND, [id]);
      return row ? attachmentOf(row) : null;
    },
    markReady: async (id, { contentType, byteSize }) => {
      const [row] = await database.query<AttachmentColumns>(READY, [id, contentType, byteSize]);
      return row ? attachmentOf(row) : null;
    },
    use: async ({ ids, channelId, uploaderId, messageId }) => {
      const rows = await database.query<AttachmentColumns>(USE, [ids, channelId, uploaderId, messageId]);
      const byId = new Map(rows.map((row) => [row.id, attachmentOf(row)]));
      const used = ids.map((id) => byId.get(id)).filter((found) => found !== undefined);
      return used.length === ids.length ? used : null;
    },
  };
}

/** The same for the clean-up. */
export function attachmentGraves(database: Database): AttachmentGraves {
  return {
    condemn: async (after, { cutoffs, limit }) => {
      const { createdAt, id } = after ?? BEGINNING;
      const { unused, unsent, retention } = cutoffs;
      const rows = await database.query<LookedAt>(CONDEMN, [createdAt, id, limit, unused, unsent, retention]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return {
        condemned: rows.filter((row) => row.condemned).map((row) => row.id),
        next: last ? { createdAt: last.created_at, id: last.id } : null,
      };
    },
    bury: async (ids) => {
      if (ids.length > 0) await database.query(BURY, [ids]);
    },
  };
}

function attachmentOf(row: AttachmentColumns): StoredAttachment {
  return {
    id: row.id,
    channelId: row.channel_id,
    uploaderId: row.uploader_id,
    fileName: row.file_name,
    contentType: row.content_type,
    byteSize: row.byte_size,
    storageKey: row.storage_key,
    state: row.state,
    messageId: row.message_id,
  };
}
