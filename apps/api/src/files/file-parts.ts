import { type Attachments, openAttachment, type Thumbnails, type ViewDeps } from '@parley/domain';
import { openFiles } from '@parley/files';
import type { Log } from '@parley/runtime';
import type { ApiSettings } from '../settings.ts';
import type { FileRoutesDeps } from './file-routes.ts';

interface FilePartsOptions {
  readonly settings: ApiSettings;
  readonly attachments: Attachments;
  readonly thumbnails: Thumbnails;
  readonly log: Log;
}

/** What a thread has of attachments: the storage, what the procedures ask of it, and what the routes do. */
export function createFileParts({ settings, attachments, thumbnails, log }: FilePartsOptions) {
  const { ATTACHMENT_MAX_BYTES: maxBytes, ATTACHMENT_TYPES: types, FILES_SECRET, AUTH_SECRET } = settings;
  // Without either the settings were refused.
  const files = openFiles(settings, { secret: FILES_SECRET ?? AUTH_SECRET ?? '', log });
  const { objects, links } = files;
  return {
    storage: files,
    cases: { attachments, thumbnails, objects, links, attachmentRules: { maxBytes, types } },
    routes: (views: ViewDeps): FileRoutesDeps => ({
      files,
      attachments,
      open: openAttachment({ ...views, attachments }),
    }),
  };
}
