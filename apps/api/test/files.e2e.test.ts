import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelEvent, Message } from '@parley/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fileDesk, filesIn, rawStatus, streamed } from './file-desk.ts';
import { makePng } from './picture.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

// Attachments as a client meets them: the stock client, plain HTTP, a folder and a real worker.

let dir: string;
let stack: Stack;
let ada: Chatter;
let bob: Chatter;
let eve: Chatter;
let desk: ReturnType<typeof fileDesk>;
let channelId: string;
const png = makePng(640, 480);
const some = (length: number) => new Uint8Array(randomBytes(length));
const bytesOf = (words: string) => new TextEncoder().encode(words);
/** Without thumbnails: the worker may still make some of what other tests uploaded. */
const stored = async () => (await filesIn(dir)).filter((path) => !path.startsWith('/thumbnails/'));
const GENEROUS = { RATE_LIMIT_ENABLED: 'false' };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-attachments-'));
  stack = await startStack({ ...GENEROUS, ATTACHMENTS_DIR: dir, ATTACHMENT_MAX_BYTES: '300000' });
  [ada, bob, eve] = await Promise.all([stack.user('ada'), stack.user('bob'), stack.user('eve')]);
  desk = fileDesk(stack.url);
  channelId = (await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId] })).id;
  await stack.startWorker();
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const image = () => ({ channelId, bytes: new Uint8Array(png) });

describe('a file that is attached', () => {
  it('[FILE-10] is announced, uploaded, looked at, sent and fetched, and its bytes arrive as they were', async () => {
    const seen: ChannelEvent[] = [];
    const feed = bob.trpc.feed.channel.subscribe({ channelId }, { onData: ({ data }) => seen.push(data) });
    const attachment = await desk.attach(ada, { ...image(), fileName: 'Grüße "aus" 東京.png' });
    expect(attachment).toEqual({
      id: attachment.id,
      fileName: 'Grüße "aus" 東京.png',
      contentType: 'image/png',
      byteSize: png.length,
      thumbnailUrl: `/files/${attachment.id}/thumbnail`,
    });
    const sent = await ada.trpc.message.send.mutate({ ...text(channelId, ''), attachmentIds: [attachment.id] });
    const created = () => seen.find((event) => event.type === 'message.created');
    await vi.waitFor(() => expect(created()).toMatchObject({ message: { id: sent.messageId } }));
    expect(created()).toMatchObject({ message: { attachments: [attachment] } });
    const { items } = await bob.trpc.message.page.query({ channelId });
    expect(items.at(-1)?.attachments).toEqual([attachment]);
    const { url, expiresAt } = await bob.trpc.attachment.url.query({ attachmentId: attachment.id });
    expect(expiresAt).toBeGreaterThan(Date.now());
    const answer = await desk.get(url);
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(png);
    feed.unsubscribe();
  });

  it('[FILE-11] is part of its message in Postgres, too, and its thumbnail comes by a worker', async () => {
    const attachment = await desk.attach(ada, image());
    const path = attachment.thumbnailUrl ?? '';
    const bearer = { authorization: `Bearer ${bob.token}` };
    const { messageId } = await ada.trpc.message.send.mutate({
      ...text(channelId, 'look'),
      attachmentIds: [attachment.id],
      ack: 'persisted',
    });
    const stored = await vi.waitFor(async () => {
      const { thumbnailUrl } = await bob.trpc.attachment.url.query({ attachmentId: attachment.id });
      const answer = await desk.get(thumbnailUrl ?? '');
      expect(answer.status).toBe(200);
      return answer;
    }, 15_000);
    expect(stored.headers.get('content-type')).toBe('image/webp');
    expect(Buffer.from(await stored.arrayBuffer()).toString('latin1')).toMatch(/^RIFF....WEBP/s);
    expect((await desk.get(path, bearer)).status).toBe(200);
    // Of half an image there is none; whoever asks may ask again.
    const half = await desk.attach(ada, { channelId, bytes: new Uint8Array(png.subarray(0, 200)) });
    const never = await desk.get(half.thumbnailUrl ?? '', bearer);
    expect([never.status, never.headers.get('retry-after')]).toEqual([404, '2']);
    const persisted = await vi.waitFor(async () => {
      const message: Message = await bob.trpc.message.get.query({ channelId, messageId });
      expect(message.persisted).toBe(true);
      return message;
    }, 15_000);
    expect(persisted.attachments).toEqual([attachment]);
  });

  it('[FILE-12] is nobody’s but the members’: strangers and those who were removed get nothing, in the same words', async () => {
    const pending = await desk.upload(ada, image());
    const { id } = await desk.attach(ada, image());
    const unknown = await eve.trpc.attachment.url.query({ attachmentId: randomUUID() }).catch(String);
    for (const attachmentId of [id, pending]) {
      expect(await eve.trpc.attachment.url.query({ attachmentId }).catch(String)).toBe(unknown);
      expect(await eve.trpc.attachment.complete.mutate({ attachmentId }).catch(String)).toBe(unknown);
    }
    expect((await failureOf(desk.create(eve, image()))).code).toBe('NOT_FOUND');
    expect((await failureOf(bob.trpc.attachment.complete.mutate({ attachmentId: pending }))).code).toBe('NOT_FOUND');
    expect((await failureOf(bob.trpc.attachment.url.query({ attachmentId: pending }))).code).toBe('NOT_FOUND');
    const byToken = (user: Chatter) => desk.get(`/files/${id}`, { authorization: `Bearer ${user.token}` });
    expect((await byToken(eve)).status).toBe(404);
    expect((await byToken(bob)).status).toBe(200);
    expect((await desk.get(`/files/${id}`)).status).toBe(401);
    expect((await desk.get(`/files/${id}`, { authorization: 'Bearer x' })).status).toBe(401);
    const other = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId] });
    const shared = await desk.attach(ada, { ...image(), channelId: other.id });
    await bob.trpc.attachment.url.query({ attachmentId: shared.id });
    await ada.trpc.member.remove.mutate({ channelId: other.id, userId: bob.userId });
    expect((await failureOf(bob.trpc.attachment.url.query({ attachmentId: shared.id }))).code).toBe('NOT_FOUND');
    const kicked = await desk.get(`/files/${shared.id}`, { authorization: `Bearer ${bob.token}` });
    expect(kicked.status).toBe(404);
  });

  it('[FILE-13] is announced within the limits only', async () => {
    const announce = (over: object) =>
      ada.trpc.attachment.create.mutate({ channelId, fileName: 'a', contentType: 'image/png', byteSize: 1, ...over });
    expect((await failureOf(announce({ byteSize: 300_001 }))).code).toBe('TOO_LARGE');
    expect((await failureOf(announce({ contentType: 'font/woff' }))).code).toBe('INVALID');
    await announce({ byteSize: 300_000, contentType: 'application/x-anything' });
  });
});

describe('an upload', () => {
  it('[FILE-14] of more or fewer bytes than announced is refused, and leaves nothing', async () => {
    const before = await stored();
    const announced = { channelId, bytes: some(100_000), contentType: 'application/pdf' };
    const { attachmentId, upload } = await desk.create(ada, announced);
    expect((await desk.put(upload.url, some(100_001))).status).toBe(413);
    expect((await desk.put(upload.url, some(99_999))).status).toBe(400);
    expect((await desk.put(upload.url, some(0))).status).toBe(400);
    // Without a length the bytes are counted: what is over is not even read.
    for (const [pieces, status] of [
      [40, 413],
      [5, 400],
    ] as const) {
      const outcome = await streamed(new URL(upload.url, stack.url), Array<Uint8Array>(pieces).fill(some(10_000)));
      expect([status, 'cut']).toContain(outcome);
    }
    expect((await failureOf(ada.trpc.attachment.complete.mutate({ attachmentId }))).code).toBe('INVALID');
    await vi.waitFor(async () => expect(await stored()).toEqual(before));
    // The control: the same link takes what was announced.
    expect((await desk.put(upload.url, announced.bytes)).status).toBe(204);
    await ada.trpc.attachment.complete.mutate({ attachmentId });
  });

  it('[FILE-15] that breaks off leaves nothing, and may be made again', async () => {
    const { attachmentId, upload } = await desk.create(ada, {
      channelId,
      bytes: some(200_000),
      contentType: 'text/plain',
    });
    const before = await stored();
    const leaving = new AbortController();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(some(10_000));
        await vi.waitFor(async () => expect((await stored()).length).toBeGreaterThan(before.length));
        leaving.abort();
      },
    });
    const options = { method: 'PUT', body, duplex: 'half', signal: leaving.signal };
    await expect(fetch(new URL(upload.url, stack.url), options)).rejects.toThrow();
    await vi.waitFor(async () => expect(await stored()).toEqual(before));
    expect((await desk.put(upload.url, some(200_000))).status).toBe(204);
    await ada.trpc.attachment.complete.mutate({ attachmentId });
  });

  it('[FILE-16] is taken once: of many at the same time one stands, and none after it', async () => {
    const { attachmentId, upload } = await desk.create(ada, image());
    const many = await Promise.all(Array.from({ length: 5 }, () => desk.put(upload.url, new Uint8Array(png))));
    expect(many.map(({ status }) => status).sort()).toEqual([204, 400, 400, 400, 400]);
    expect((await desk.put(upload.url, new Uint8Array(png))).status).toBe(400);
    const first = await ada.trpc.attachment.complete.mutate({ attachmentId });
    expect((await desk.put(upload.url, new Uint8Array(png))).status).toBe(400);
    expect(await ada.trpc.attachment.complete.mutate({ attachmentId })).toEqual(first);
  });

  it('[FILE-17] by a link that is forged, expired or for something else is refused', async () => {
    const [one, two] = await Promise.all([desk.create(ada, image()), desk.create(ada, image())]);
    const { url } = one.upload;
    const wrong = [
      url.replace(one.attachmentId, two.attachmentId),
      url.replace(/size=\d+/, 'size=1'),
      url.replace(/expires=\d/, 'expires=9'),
      url.replace(/signature=../, 'signature=AA'),
      url.replace(/&signature=.*/, ''),
      `${url}&signature=`,
    ];
    for (const link of wrong) expect((await desk.put(link, new Uint8Array(png))).status, link).toBe(403);
    expect((await desk.get(url)).status).toBe(400);
    const { id } = await desk.attach(ada, image());
    const { url: download } = await ada.trpc.attachment.url.query({ attachmentId: id });
    expect((await desk.put(download, new Uint8Array(png))).status).toBe(400);
    expect((await desk.get(download.replace('?', '/thumbnail?'))).status).toBe(403);
    expect((await desk.put(url, new Uint8Array(png))).status).toBe(204);
  });

  it('[FILE-18] reaches no path but its own', async () => {
    const before = await stored();
    const { upload } = await desk.create(ada, image());
    const [path = '', query = ''] = upload.url.split('?');
    for (const name of [
      '../../etc/passwd',
      '..%2f..%2fx',
      '%2e%2e/x',
      randomUUID().toUpperCase(),
      `${randomUUID()}/..`,
      '',
    ]) {
      const status = await rawStatus(stack.port, `PUT /files/upload/${name}?${query}`);
      expect([403, 404], name).toContain(status);
      expect(await rawStatus(stack.port, `GET /files/${name}?${query}`), name).not.toBe(200);
    }
    expect(await rawStatus(stack.port, `PUT ${path}/../../x?${query}`)).toBe(404);
    expect(await stored()).toEqual(before);
  });
});

describe('what a file is', () => {
  const html = bytesOf('<!doctype html><script>alert(1)</script>');
  const svg = bytesOf('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

  it('[FILE-19] is what its bytes say: an image that is none is refused and gone, and may be uploaded anew', async () => {
    const bytes = new Uint8Array(png.length).fill(32);
    bytes.set(html);
    const { attachmentId, upload } = await desk.create(ada, { channelId, bytes });
    expect((await desk.put(upload.url, bytes)).status).toBe(204);
    expect((await failureOf(ada.trpc.attachment.complete.mutate({ attachmentId }))).code).toBe('INVALID');
    expect((await stored()).filter((path) => path.includes(attachmentId))).toEqual([]);
    expect((await desk.put(upload.url, new Uint8Array(png))).status).toBe(204);
    expect(await ada.trpc.attachment.complete.mutate({ attachmentId })).toMatchObject({ contentType: 'image/png' });
    for (const [contentType, wrong] of [
      ['image/jpeg', new Uint8Array(png)],
      ['image/svg+xml', svg],
      ['image/gif', some(1_000)],
    ] as const) {
      const id = await desk.upload(ada, { channelId, bytes: wrong, contentType });
      expect((await failureOf(ada.trpc.attachment.complete.mutate({ attachmentId: id }))).code, contentType).toBe(
        'INVALID',
      );
    }
  });

  it('[FILE-20] decides how it is served: images in place, everything else as bytes to save, all of it disarmed', async () => {
    const served = async (bytes: Uint8Array<ArrayBuffer>, contentType: string, fileName: string) => {
      const attachment = await desk.attach(ada, { channelId, bytes, contentType, fileName });
      const { url } = await ada.trpc.attachment.url.query({ attachmentId: attachment.id });
      const { headers } = await desk.get(url);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toMatch(/^private, max-age=\d+$/);
      return { attachment, type: headers.get('content-type'), how: headers.get('content-disposition') };
    };
    const saved = { type: 'application/octet-stream', how: expect.stringMatching(/^attachment; /) };
    for (const [bytes, type] of [
      [html, 'text/html'],
      [svg, 'application/xml'],
      [html, 'application/octet-stream'],
    ] as const) {
      const found = await served(bytes, type, 'picture.png');
      expect(found).toMatchObject({ ...saved, attachment: { contentType: 'text/plain', thumbnailUrl: null } });
    }
    const name = 'a"\r\nx: y; é.png';
    expect(await served(bytesOf('%PDF-1.7 …'), 'text/html', name)).toMatchObject({
      type: 'application/octet-stream',
      how: `attachment; filename="a___x_ y_ _.png"; filename*=UTF-8''a%22%0D%0Ax%3A%20y%3B%20%C3%A9.png`,
    });
    expect(await served(new Uint8Array(png), 'image/png', 'a.png')).toMatchObject({
      type: 'image/png',
      how: expect.stringMatching(/^inline; /),
    });
  });

  it('[FILE-21] is given in parts to who asks for parts', async () => {
    const bytes = some(250_000);
    const { id } = await desk.attach(ada, { channelId, bytes, contentType: 'application/zip' });
    const { url } = await ada.trpc.attachment.url.query({ attachmentId: id });
    const part = async (range: string, more: Record<string, string> = {}) => {
      const answer = await desk.get(url, { range, ...more });
      return {
        status: answer.status,
        range: answer.headers.get('content-range'),
        body: new Uint8Array(await answer.arrayBuffer()),
      };
    };
    expect(await part('bytes=10-19')).toEqual({ status: 206, range: 'bytes 10-19/250000', body: bytes.slice(10, 20) });
    expect(await part('bytes=249990-')).toMatchObject({ status: 206, body: bytes.slice(249_990) });
    expect(await part('bytes=-5')).toMatchObject({ status: 206, body: bytes.slice(-5) });
    expect(await part('bytes=0-999999')).toMatchObject({ status: 206, body: bytes });
    expect(await part('bytes=250000-')).toMatchObject({ status: 416, range: 'bytes */250000' });
    for (const odd of ['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-']) {
      expect(await part(odd), odd).toMatchObject({ status: 200, body: bytes });
    }
    expect(await part('bytes=10-19', { 'if-range': '"another"' })).toMatchObject({ status: 200 });
    const etag = (await desk.get(url)).headers.get('etag') ?? '';
    expect((await desk.get(url, { 'if-none-match': etag })).status).toBe(304);
    const head = await fetch(new URL(url, stack.url), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '250000']);
  });
});

describe('a message with attachments', () => {
  it('[FILE-22] takes only what its sender has uploaded to its channel and not sent yet; the same send may come again', async () => {
    const mine = await desk.attach(ada, image());
    const theirs = await desk.attach(bob, image());
    const pending = await desk.upload(ada, image());
    const other = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    const elsewhere = await desk.attach(ada, { ...image(), channelId: other.id });
    const send = (attachmentIds: string[], message = text(channelId, 'with')) =>
      ada.trpc.message.send.mutate({ ...message, attachmentIds });
    for (const id of [theirs.id, pending, elsewhere.id, randomUUID()]) {
      expect((await failureOf(send([mine.id, id]))).code).toBe('INVALID');
    }
    // Refused together with the others, and free all the same.
    const message = text(channelId, 'with');
    const first = await send([mine.id], message);
    expect(await send([mine.id], message)).toMatchObject({ messageId: first.messageId, duplicate: true });
    expect((await failureOf(send([mine.id]))).code).toBe('INVALID');
    const two = await Promise.all([desk.attach(ada, image()), desk.attach(ada, image())]);
    const ids = two
      .map(({ id }) => id)
      .sort()
      .reverse();
    const { messageId } = await send(ids);
    const shown = await bob.trpc.message.get.query({ channelId, messageId });
    expect(shown.attachments.map(({ id }) => id)).toEqual(ids);
  });

  it('[FILE-23] keeps them through edits; once it is deleted they are out of reach', async () => {
    const attachment = await desk.attach(ada, image());
    const message = { ...text(channelId, 'x'), attachmentIds: [attachment.id] };
    const { messageId } = await ada.trpc.message.send.mutate(message);
    const edits: ChannelEvent[] = [];
    const feed = bob.trpc.feed.channel.subscribe(
      { channelId },
      { onData: ({ data }) => data.type === 'message.updated' && edits.push(data) },
    );
    await vi.waitFor(async () => {
      await ada.trpc.message.edit.mutate({ channelId, messageId, body: 'y' });
      expect(edits).not.toEqual([]);
    });
    expect(edits[0]).toMatchObject({ message: { id: messageId, attachments: [attachment] } });
    feed.unsubscribe();
    const { url } = await bob.trpc.attachment.url.query({ attachmentId: attachment.id });
    expect((await desk.get(url)).status).toBe(200);
    await ada.trpc.message.delete.mutate({ channelId, messageId });
    await vi.waitFor(async () => expect((await desk.get(url)).status).toBe(404));
    expect((await failureOf(bob.trpc.attachment.url.query({ attachmentId: attachment.id }))).code).toBe('NOT_FOUND');
    const { attachments } = await bob.trpc.message.get.query({ channelId, messageId });
    expect(attachments).toEqual([]);
  });
});
