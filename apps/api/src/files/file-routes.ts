import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Attachments,
  attachmentOf,
  Failure,
  noAttachment,
  objectKeys,
  presentationOf,
  type StoredAttachment,
  UNKNOWN_TYPE,
} from '@parley/domain';
import { contentDisposition, type Files, type SignedMethod } from '@parley/files';
import type { Log } from '@parley/runtime';
import { giveObject } from './give-object.ts';
import { refuseRequest } from './refuse-request.ts';
import { takeUpload } from './take-upload.ts';

/** What the routes stand on. */
export interface FileRoutesDeps {
  readonly files: Pick<Files, 'objects' | 'signedPaths' | 'receive'>;
  readonly attachments: Pick<Attachments, 'find'>;
  /** Finds an attachment for a member of its channel. */
  readonly open: (userId: string, attachmentId: string) => Promise<StoredAttachment>;
}

interface FileRoutesOptions extends FileRoutesDeps {
  /** Who asks, by the token that the request carries. */
  readonly identify: (request: IncomingMessage) => Promise<{ readonly userId: string }>;
  /** Origins of pages elsewhere that may use the routes. */
  readonly origins: readonly string[];
  readonly log: Log;
}

/** Answers a request under `/files/`. False: it is another one, and nothing has been done with it. */
export type FileRoutes = (request: IncomingMessage, response: ServerResponse) => boolean;

const PREFIX = '/files/';
const ROUTE = /^\/files\/(upload\/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\/thumbnail)?$/;
const THUMBNAIL_RETRY_AFTER_MS = 2_000;
const THUMBNAIL_TYPE = 'image/webp';

/** What people upload runs nothing, loads nothing and passes for nothing else, whatever a browser makes of it. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'private, max-age=300',
  vary: 'authorization, origin',
};

/** Whether a request may take longer than others, because a file comes with it. */
export function isUpload({ method, url }: IncomingMessage): boolean {
  return method === 'PUT' && (url ?? '').startsWith(`${PREFIX}upload/`);
}

/** Serves attachments and their thumbnails, and takes uploads where we keep the bytes ourselves. Never throws. */
export function createFileRoutes(options: FileRoutesOptions): FileRoutes {
  const serve = serveBy(options);
  return (request, response) => {
    if (!(request.url ?? '').startsWith(PREFIX)) return false;
    letOrigin(options.origins, request, response);
    serve(request, response).catch((error: unknown) => refuseRequest(options.log, { request, response }, error));
    return true;
  };
}

function serveBy(options: FileRoutesOptions) {
  const { receive } = options.files;
  const take = receive && takeUpload({ receive, attachments: options.attachments });
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '', method = '' } = request;
    const [, upload, attachmentId, thumbnail] = ROUTE.exec(url.split('?', 1)[0] ?? '') ?? [];
    if (attachmentId === undefined || (upload && (thumbnail || !take))) throw noAttachment();
    if (method === 'OPTIONS') {
      response.writeHead(204).end();
    } else if (upload && take && method === 'PUT') {
      await take({ request, response, attachmentId, byteSize: check(options, 'PUT', url).size ?? 0 });
    } else if (!upload && (method === 'GET' || method === 'HEAD')) {
      const found = await find(options, request, attachmentId);
      await (thumbnail ? giveThumbnail : giveAttachment)(options, { request, response }, found);
    } else {
      throw new Failure('INVALID', 'this method is not for this path');
    }
  };
}

/** The numbers that were signed with a link. */
function check({ files }: FileRoutesOptions, method: SignedMethod, url: string): Readonly<Record<string, number>> {
  const verdict = files.signedPaths.check(method, url, Date.now());
  if (verdict.type === 'valid') return verdict.numbers;
  throw new Failure('FORBIDDEN', verdict.type === 'expired' ? 'this link has expired' : 'this link is not valid');
}

/** By a signed link, which a member was given, or by the token of a member. */
async function find(options: FileRoutesOptions, request: IncomingMessage, id: string): Promise<StoredAttachment> {
  const { url = '', headers } = request;
  let found: StoredAttachment | null;
  if (headers.authorization !== undefined) {
    found = await options.open((await options.identify(request)).userId, id);
  } else {
    if (!url.includes('?')) throw new Failure('UNAUTHENTICATED', 'a signed link or a token is needed');
    check(options, 'GET', url);
    found = await options.attachments.find(id);
  }
  if (found?.state !== 'ready') throw noAttachment();
  return found;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function giveAttachment(
  { files }: FileRoutesOptions,
  exchange: Exchange,
  found: StoredAttachment,
): Promise<void> {
  const { fileName, inlineType } = presentationOf(found);
  await giveObject(files.objects, exchange, {
    key: objectKeys.attachment(found.id),
    byteSize: found.byteSize,
    headers: {
      ...HEADERS,
      'content-type': inlineType ?? UNKNOWN_TYPE,
      'content-disposition': contentDisposition(inlineType === null ? 'attachment' : 'inline', fileName),
    },
  });
}

/** A thumbnail that is not made yet is not there yet; whoever asks is told when to ask again. */
async function giveThumbnail({ files }: FileRoutesOptions, exchange: Exchange, found: StoredAttachment): Promise<void> {
  if (attachmentOf(found).thumbnailUrl === null) throw new Failure('NOT_FOUND', 'it has no thumbnail');
  const key = objectKeys.thumbnail(found.id);
  const made = await files.objects.head(key);
  if (!made) {
    throw new Failure('NOT_FOUND', 'the thumbnail is not made yet', { retryAfterMs: THUMBNAIL_RETRY_AFTER_MS });
  }
  const headers = { ...HEADERS, 'content-type': THUMBNAIL_TYPE, 'content-disposition': 'inline' };
  await giveObject(files.objects, exchange, { key, byteSize: made.byteSize, headers });
}

/** A page elsewhere shows images without saying who it is; where there is one, it is let in. Signatures and tokens decide the rest. */
function letOrigin(origins: readonly string[], { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('cross-origin-resource-policy', origins.length > 0 ? 'cross-origin' : 'same-origin');
  if (headers.origin === undefined || !origins.includes(headers.origin)) return;
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('access-control-allow-methods', 'GET, HEAD, PUT');
  response.setHeader('access-control-allow-headers', 'authorization, content-type, range');
}
