import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { sqlOf, until } from '../apps/api/test/admin-rig.ts';
import { startStack, text } from '../apps/api/test/stack.ts';
import { outletEnv, WebhookReceiver } from '../apps/worker/test/outlets.ts';

// A call carried the words as they were when it was planned, and an endpoint that was away was sent what had been deleted meanwhile.

it('[OFF-21] what was deleted while an endpoint was away is not in the call that it takes, which has the same id', async () => {
  await using webhook = await new WebhookReceiver().start();
  await using stack = await startStack({ ...outletEnv({ webhook }), OFFLINE_AFTER_MS: '300' });
  const away = await stack.user('away');
  await away[Symbol.asyncDispose]();
  const ada = await stack.user('ada');
  const group = { kind: 'group' as const, name: 'g', memberIds: [away.userId] };
  const { id: channelId } = await ada.trpc.channel.create.mutate(group);
  const [regretted, kept] = [randomUUID(), randomUUID()];
  webhook.answer = () => 503;
  const { messageId } = await ada.trpc.message.send.mutate(text(channelId, regretted));
  await ada.trpc.message.send.mutate(text(channelId, kept));
  await stack.startWorker();
  const told = async () => webhook.calls.filter(({ body }) => body.includes(away.userId));
  // Control: before it is deleted it is told.
  const [first] = await until(told, ({ length }) => length > 0, 'the endpoint is called');
  expect(JSON.parse(first?.body ?? '')).toMatchObject({ count: 2, messages: [{ body: regretted }, { body: kept }] });
  await ada.trpc.message.delete.mutate({ channelId, messageId });
  const deleted = () => sqlOf(stack, 'select from messages where id = $1 and deleted_at is not null', [messageId]);
  await until(deleted, (rows) => rows.length === 1, 'it is deleted in Postgres');
  webhook.answer = () => 200;
  const calls = await until(told, (made) => made.some(({ status }) => status === 200), 'the endpoint takes it');
  const { id, body } = calls.at(-1) ?? { id: '', body: '{}' };
  expect(id).toBe(first?.id);
  expect(JSON.parse(body)).toMatchObject({ id, count: 1, messages: [{ body: kept }] });
  expect(body).not.toContain(regretted);
}, 90_000);
