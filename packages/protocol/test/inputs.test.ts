import { BODY_MAX_BYTES, CLOSE_CODES, comesBack, inputs } from '@parley/protocol';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';

const channelId = '0190a8f0-0000-7000-8000-000000000001';
const clientMsgId = '0190a8f0-0000-7000-8000-000000000002';
const send = (over: object) => z.safeParse(inputs['message.send'], { channelId, clientMsgId, body: 'hello', ...over });

describe('message.send', () => {
  it('[SEND-1] takes a body of 1 to 2,048 bytes of UTF-8, counted in bytes', () => {
    expect(send({ body: 'x' }).success).toBe(true);
    expect(send({ body: 'x'.repeat(BODY_MAX_BYTES) }).success).toBe(true);
    expect(send({ body: 'é'.repeat(BODY_MAX_BYTES / 2) }).success).toBe(true);
    expect(send({ body: '' }).success).toBe(false);
    expect(send({ body: 'é'.repeat(BODY_MAX_BYTES / 2 + 1) }).error?.issues[0]?.message).toBe('TOO_LARGE');
  });

  it('[SEND-2] refuses what a store cannot hold: NUL and lone surrogates', () => {
    for (const body of ['a\u0000b', '\ud800', 'a\udc00b'])
      expect(send({ body }).success, JSON.stringify(body)).toBe(false);
    for (const body of ['😀', 'привет', '你好', '\u202e']) expect(send({ body }).success, body).toBe(true);
  });

  it('[SEND-3] an empty body needs an envelope or attachments', () => {
    const encrypted = { ciphertext: 'YQ==', nonce: 'n', ephemeralPublicKey: 'k' };
    expect(send({ body: '', encrypted }).success).toBe(true);
    expect(send({ body: '', attachmentIds: [clientMsgId] }).success).toBe(true);
    expect(send({ body: '', attachmentIds: [] }).success).toBe(false);
    expect(send({ body: '', encrypted: { ...encrypted, ciphertext: 'x'.repeat(BODY_MAX_BYTES + 1) } }).success).toBe(
      false,
    );
  });

  it('[SEND-4] ids are lower-case UUIDs, so that none can steer a key', () => {
    for (const id of ['x', channelId.toUpperCase(), `${channelId} `, '{10}', '../../x', `${channelId}}`]) {
      expect(send({ channelId: id }).success, id).toBe(false);
      expect(send({ clientMsgId: id }).success, id).toBe(false);
    }
  });
});

it('[PAGE-1] before, after and around exclude each other', () => {
  const page = (over: object) => z.safeParse(inputs['message.page'], { channelId, ...over }).success;
  expect(page({})).toBe(true);
  expect(page({ before: '1-2' })).toBe(true);
  expect(page({ before: '1-2', after: '1-1' })).toBe(false);
  expect(page({ limit: 101 })).toBe(false);
});

it('[WIRE-2] a client knows by the range whether to come back', () => {
  const back = Object.entries(CLOSE_CODES).filter(([, code]) => comesBack(code));
  expect(back.map(([name]) => name).sort()).toEqual(
    ['AUTH_TIMEOUT', 'DRAIN', 'FRAME_TOO_LARGE', 'RESTART', 'SLOW', 'TOKEN_EXPIRED', 'TOO_MANY'].sort(),
  );
});
