import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Attachments, Failure, noAttachment, objectKeys } from '@parley/domain';
import type { Files } from '@parley/files';

interface TakeUploadDeps {
  readonly receive: NonNullable<Files['receive']>;
  readonly attachments: Pick<Attachments, 'find'>;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly attachmentId: string;
  /** As it was announced, and signed. */
  readonly byteSize: number;
}

/** A sender who gives nothing for this long is given up. */
const STALL_MS = 30_000;

/** Takes the bytes of an attachment that was announced: exactly so many, once. What is cut, too long or too short leaves nothing behind. */
export function takeUpload({ receive, attachments }: TakeUploadDeps) {
  // One link could else fill the disk with parts of which only one can win.
  const underWay = new Set<string>();
  return async ({ request, response, attachmentId, byteSize }: Asked): Promise<void> => {
    checkLength(request.headers['content-length'], byteSize);
    const found = await attachments.find(attachmentId);
    if (!found || found.state === 'deleted') throw noAttachment();
    if (found.state === 'ready' || underWay.has(attachmentId)) throw taken();
    underWay.add(attachmentId);
    try {
      request.setTimeout(STALL_MS, () => request.destroy());
      // The socket stays, so that whoever sends too much can be told so.
      const body = request.iterator({ destroyOnReturn: false });
      const outcome = await receive(objectKeys.upload(attachmentId), body, byteSize);
      if (outcome === 'taken') throw taken();
      if (outcome === 'too-long') throw tooLong();
      if (outcome !== 'kept') throw tooShort();
      response.writeHead(204).end();
    } finally {
      underWay.delete(attachmentId);
    }
  };
}

/** Refuses by what the head says, before anything of the body is read. Without a length the bytes are counted. */
function checkLength(header: string | undefined, byteSize: number): void {
  if (header === undefined) return;
  if (Number(header) > byteSize) throw tooLong();
  if (Number(header) < byteSize) throw tooShort();
}

const taken = () => new Failure('INVALID', 'it was uploaded already');
const tooLong = () => new Failure('TOO_LARGE', 'more bytes than were announced');
const tooShort = () => new Failure('INVALID', 'fewer bytes than were announced');
