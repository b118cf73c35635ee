import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it, vi } from 'vitest';
import { startS3 } from '../../../packages/files/test/s3-server.ts';
import { fileDesk } from './file-desk.ts';
import { makePng } from './picture.ts';
import { failureOf, type Stack, startStack, text } from './stack.ts';

// What is not a folder on this machine, a page of this host, and a queue that answers.

const png = new Uint8Array(makePng(640, 480));

async function groupOf(stack: Stack) {
  const [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
  const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId] });
  return { ada, bob, channelId: id, desk: fileDesk(stack.url) };
}

it('[FILE-24] with a bucket the bytes go there and come from there, straight; the rest is the same', async () => {
  await using server = await startS3();
  await using stack = await startStack(server.settings);
  await stack.startWorker();
  const { ada, bob, channelId, desk } = await groupOf(stack);
  const { upload } = await desk.create(ada, { channelId, bytes: png });
  expect(upload.url.startsWith(`${server.settings.S3_ENDPOINT}/attachments/uploads/`)).toBe(true);
  const attachment = await desk.attach(ada, { channelId, bytes: png });
  await ada.trpc.message.send.mutate({ ...text(channelId, ''), attachmentIds: [attachment.id] });
  const { url, thumbnailUrl } = await bob.trpc.attachment.url.query({ attachmentId: attachment.id });
  expect(url.startsWith(`${server.settings.S3_ENDPOINT}/attachments/attachments/`)).toBe(true);
  const straight = await desk.get(url);
  expect(new Uint8Array(await straight.arrayBuffer())).toEqual(png);
  expect(straight.headers.get('content-disposition')).toMatch(/^inline; filename="a.png"/);
  // By a token it comes through us.
  const bearer = { authorization: `Bearer ${bob.token}`, range: 'bytes=0-7' };
  const part = await desk.get(`/files/${attachment.id}`, bearer);
  expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([206, png.slice(0, 8)]);
  const thumbnail = await vi.waitFor(async () => {
    const answer = await desk.get(thumbnailUrl ?? '');
    expect(answer.status).toBe(200);
    return answer;
  }, 15_000);
  expect(thumbnail.headers.get('content-type')).toBe('image/webp');
  // Nobody uploads to us any more.
  expect((await desk.put(`/files/upload/${attachment.id}?size=1`, png)).status).toBe(404);
  const wrong = await desk.upload(ada, { channelId, bytes: new Uint8Array(9).fill(65), contentType: 'image/gif' });
  expect((await failureOf(ada.trpc.attachment.complete.mutate({ attachmentId: wrong }))).code).toBe('INVALID');
});

it('[FILE-25] pages of the allowed origins may use files, and no others', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-attachments-'));
  await using stack = await startStack({ ATTACHMENTS_DIR: dir, ALLOWED_ORIGINS: 'https://chat.example' });
  const { ada, channelId, desk } = await groupOf(stack);
  const { id } = await desk.attach(ada, { channelId, bytes: png });
  const { url } = await ada.trpc.attachment.url.query({ attachmentId: id });
  const allowed = async (origin: string) => {
    const ask = (method: string) => fetch(new URL(url, stack.url), { method, headers: { origin } });
    const [asked, got] = [await ask('OPTIONS'), await ask('GET')];
    return [asked, got].map(({ headers }) => headers.get('access-control-allow-origin'));
  };
  expect(await allowed('https://chat.example')).toEqual(['https://chat.example', 'https://chat.example']);
  expect(await allowed('https://evil.example')).toEqual([null, null]);
  await rm(dir, { recursive: true, force: true });
});

it('[FILE-26] without the queue an image is not made ready, and is once the queue is back; other files need none', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-attachments-'));
  await using stack = await startStack({ ATTACHMENTS_DIR: dir });
  const { ada, channelId, desk } = await groupOf(stack);
  const bytes = new TextEncoder().encode('words');
  const [image, words] = await Promise.all([
    desk.upload(ada, { channelId, bytes: png }),
    desk.upload(ada, { channelId, bytes, contentType: 'text/plain' }),
  ]);
  await stack.log.kill();
  const complete = (attachmentId: string) => ada.trpc.attachment.complete.mutate({ attachmentId });
  expect((await failureOf(complete(image))).code).toBe('UNAVAILABLE');
  expect(await complete(words)).toMatchObject({ contentType: 'text/plain' });
  await stack.log.restart();
  const made = await vi.waitFor(() => complete(image), 15_000);
  expect(made.thumbnailUrl).not.toBeNull();
  const redis = new Redis(stack.log.url);
  expect(await redis.llen('{parley-bull}:make-thumbnail:wait')).toBe(1);
  redis.disconnect();
  await rm(dir, { recursive: true, force: true });
});

it('[FILE-39] a user announces so many attachments an hour, and is told when the next one may come', async () => {
  // Under load the limits shrink, and this machine may well be under load.
  await using stack = await startStack({ ATTACHMENTS_PER_HOUR: '2', ADAPTIVE_LIMITS_ENABLED: 'false' });
  const { ada, bob, channelId, desk } = await groupOf(stack);
  const create = (user: typeof ada) => desk.create(user, { channelId, bytes: png });
  await Promise.all([create(ada), create(ada)]);
  const { code, retryAfterMs = 0 } = await failureOf(create(ada));
  expect(code).toBe('RATE_LIMITED');
  expect(retryAfterMs).toBeGreaterThan(0);
  await create(bob);
});
