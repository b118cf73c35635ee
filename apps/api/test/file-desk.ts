import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Attachment } from '@parley/protocol';
import type { Chatter } from './stack.ts';

/** A file that somebody wants to attach. */
export interface File {
  readonly channelId: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fileName?: string;
  readonly contentType?: string;
}

/** What a client does with files, with the stock tRPC client and `fetch`. */
export function fileDesk(base: string) {
  const create = ({ trpc }: Chatter, { channelId, bytes, fileName = 'a.png', contentType = 'image/png' }: File) =>
    trpc.attachment.create.mutate({ channelId, fileName, contentType, byteSize: bytes.length });
  const put = (url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(new URL(url, base), { method: 'PUT', body, headers });
  const get = (url: string, headers: Record<string, string> = {}) => fetch(new URL(url, base), { headers });
  return {
    create,
    put,
    get,
    /** Announces it and sends the bytes, and leaves it at that. */
    upload: async (user: Chatter, file: File): Promise<string> => {
      const { attachmentId, upload } = await create(user, file);
      const answer = await put(upload.url, file.bytes, upload.headers);
      if (!answer.ok) throw new Error(`not uploaded: ${answer.status} ${await answer.text()}`);
      return attachmentId;
    },
    attach: async (user: Chatter, file: File): Promise<Attachment> => {
      const { attachmentId, upload } = await create(user, file);
      const answer = await put(upload.url, file.bytes, upload.headers);
      if (!answer.ok) throw new Error(`not uploaded: ${answer.status} ${await answer.text()}`);
      return user.trpc.attachment.complete.mutate({ attachmentId });
    },
  };
}

/** Every file under a folder, by its path in it. */
export async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath.slice(dir.length)}/${entry.name}`);
}

/** PUTs pieces without saying how many; the status, or `cut` when the server hung up first. */
export function streamed(url: URL, pieces: readonly Uint8Array[]): Promise<number | 'cut'> {
  const asked = request(url, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } });
  for (const piece of pieces) asked.write(piece);
  asked.end();
  return new Promise((resolve) => {
    asked.on('response', (answer) => resolve(answer.statusCode ?? 0));
    asked.on('error', () => resolve('cut'));
  });
}

/** The status of a request whose path no client library would send as it is. */
export async function rawStatus(port: number, line: string): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  await once(socket, 'close');
  return Number(answer.split(' ')[1]);
}
