import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { failureOf, type Stack, startStack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ VAPID_PUBLIC_KEY: 'the public key' });
}, 60_000);
afterAll(() => stack?.[Symbol.asyncDispose]());

const keys = () => ({ p256dh: randomBytes(65).toString('base64url'), auth: randomBytes(16).toString('base64url') });
const endpoint = 'https://fcm.googleapis.com/fcm/send/one';

it('[OFF-19] a browser asks for the key, subscribes, again or as somebody else, and unsubscribes', async () => {
  const [ada, bob] = [await stack.user('ada'), await stack.user('bob')];
  expect(await ada.trpc.push.key.query()).toEqual({ publicKey: 'the public key' });
  const subscription = { endpoint, expirationTime: null, keys: keys() };
  expect(await ada.trpc.push.subscribe.mutate(subscription)).toEqual({ subscribed: true });
  expect(await ada.trpc.push.subscribe.mutate(subscription)).toEqual({ subscribed: true });
  expect(await bob.trpc.push.subscribe.mutate({ endpoint, keys: keys() })).toEqual({ subscribed: true });
  // It is his now: she can no longer take it away.
  expect(await ada.trpc.push.unsubscribe.mutate({ endpoint })).toEqual({ subscribed: false });
  expect(await bob.trpc.push.unsubscribe.mutate({ endpoint })).toEqual({ subscribed: false });
});

it('[OFF-5] what is not the address or the keys of a push service is refused by name', async () => {
  const ada = await stack.user('ada');
  const subscribe = (to: string, with_ = keys()) => ada.trpc.push.subscribe.mutate({ endpoint: to, keys: with_ });
  for (const inside of ['https://10.0.0.1/x', 'https://metadata.internal/x', 'http://fcm.googleapis.com/x']) {
    expect(await failureOf(subscribe(inside))).toMatchObject({ code: 'INVALID' });
  }
  expect(await failureOf(subscribe(endpoint, { ...keys(), auth: 'short' }))).toMatchObject({ code: 'INVALID' });
  // This machine is one, but never in production.
  expect(await subscribe('http://127.0.0.1:1234/x')).toEqual({ subscribed: true });
});

it('[OFF-16] where nothing is pushed the key is null, and nothing can be subscribed', async () => {
  await using without = await startStack();
  const ada = await without.user('ada');
  expect(await ada.trpc.push.key.query()).toEqual({ publicKey: null });
  expect(await failureOf(ada.trpc.push.subscribe.mutate({ endpoint, keys: keys() }))).toMatchObject({
    code: 'FORBIDDEN',
  });
}, 60_000);
