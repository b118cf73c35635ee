import { randomUUID } from 'node:crypto';
import type { AdminStore, EverybodyHints } from '@parley/domain';
import { textSchema } from '@parley/protocol';
import * as z from 'zod';
import { bodyOf, pageOf, type Route } from './routes.ts';

/** What the routes about announcements and the audit stand on. */
export interface RecordRouteDeps {
  readonly store: Pick<AdminStore, 'announce' | 'announcements' | 'auditLines'>;
  readonly hints: EverybodyHints;
}

const ANNOUNCEMENT_MAX_CHARS = 2_000;
const announcement = z.strictObject({
  text: z.custom<string>(
    (text) => textSchema(1, ANNOUNCEMENT_MAX_CHARS).safeParse(text).success,
    'a text of 1 to 2,000 characters',
  ),
});

/** `/v1/announcements`: tell everybody who is there. `/v1/audit`: who did what. */
export function recordRoutes({ store, hints }: RecordRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/announcements',
      action: 'announcement.create',
      work: async (call) => {
        const { text } = bodyOf(announcement, call);
        const made = await store.announce({ id: randomUUID(), text });
        await hints.tell({ type: 'announcement', announcementId: made.id, text, at: made.at });
        return { status: 201, value: made };
      },
    },
    {
      method: 'GET',
      path: '/v1/announcements',
      action: 'announcement.list',
      work: async (call) => ({ status: 200, value: await store.announcements(pageOf(call)) }),
    },
    {
      method: 'GET',
      path: '/v1/audit',
      action: 'audit.list',
      work: async (call) => ({ status: 200, value: await store.auditLines(pageOf(call)) }),
    },
  ];
}
