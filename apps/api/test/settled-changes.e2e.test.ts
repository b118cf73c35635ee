import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { comparePositions, type InboxEvent, type Position } from '@parley/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, type Stack, startStack, text } from './stack.ts';

// What a client's outbox must be told of a change before it may forget it.

let stack: Stack;
let ada: Chatter;
let bob: Chatter;
let eve: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [ada, bob, eve] = await Promise.all([stack.user('ada'), stack.user('bob'), stack.user('eve')]);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

async function group(): Promise<string> {
  const memberIds = [bob.userId];
  return (await ada.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds })).id;
}

async function until(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await isSo()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
  }
}

/** How far the user's inbox has called his own entries persisted. */
async function persistedIn(chatter: Chatter) {
  const events: InboxEvent[] = [];
  const { unsubscribe } = chatter.trpc.feed.inbox.subscribe({}, { onData: ({ data }) => events.push(data) });
  await until(() => events.length > 0, 'the inbox is open');
  const isTold = (channelId: string, position: Position) =>
    events.some(
      (event) =>
        event.type === 'message.persisted' &&
        event.channelId === channelId &&
        comparePositions(event.upTo, position) >= 0,
    );
  return { isTold, unsubscribe };
}

describe('a change is settled', () => {
  it('[CLIENT-67] by its answer, which says where it stands, the same when it is repeated', async () => {
    const channelId = await group();
    const op = { id: randomUUID() };
    const rename = () => ada.trpc.channel.update.mutate({ channelId, name: 'new', op });
    const first = await rename();
    expect(first).toMatchObject({ name: 'new', level: 'accepted', position: expect.stringMatching(/^\d+-\d+$/) });
    await until(async () => (await rename()).level === 'persisted', 'the repetition finds it in Postgres');
    expect(await rename()).toMatchObject({ position: first.position });
    expect(await ada.trpc.channel.update.mutate({ channelId, name: 'new' })).toMatchObject({ position: null });
    const add = { channelId, userIds: [eve.userId], op: { id: randomUUID() } };
    const added = await ada.trpc.member.add.mutate(add);
    expect(added).toMatchObject({ level: 'persisted', position: expect.any(String) });
    expect(await ada.trpc.member.add.mutate(add)).toMatchObject({ level: 'persisted', position: added.position });
    const { id } = await ada.trpc.channel.create.mutate({ kind: 'public', name: 'lobby', memberIds: [] });
    const joining = { channelId: id, op: { id: randomUUID() } };
    const joined = await bob.trpc.channel.join.mutate(joining);
    expect(joined).toMatchObject({ level: 'persisted', position: expect.any(String) });
    expect(await bob.trpc.channel.join.mutate(joining)).toMatchObject({
      level: 'persisted',
      position: joined.position,
    });
  });

  it('[CLIENT-67] by its author’s inbox, without an open channel, whatever it changes', async () => {
    const channelId = await group();
    const { messageId } = await bob.trpc.message.send.mutate(text(channelId, 'hello'));
    const said = () => bob.trpc.message.get.query({ channelId, messageId });
    await until(async () => (await said()).persisted, 'nothing of the other one waits');
    const [own, others] = await Promise.all([persistedIn(ada), persistedIn(bob)]);
    const changes: (() => Promise<{ position: Position | null }>)[] = [
      () => ada.trpc.reaction.add.mutate({ channelId, messageId, emoji: '👍' }),
      () => ada.trpc.member.setRole.mutate({ channelId, userId: bob.userId, role: 'moderator' }),
      () => ada.trpc.channel.update.mutate({ channelId, topic: 'tea' }),
      () => ada.trpc.message.delete.mutate({ channelId, messageId }),
    ];
    for (const change of changes) {
      const { position } = await change();
      await until(() => own.isTold(channelId, position ?? '0-0'), `${position} is told to its author`);
      expect(others.isTold(channelId, position ?? '0-0')).toBe(false);
    }
    own.unsubscribe();
    others.unsubscribe();
  });

  it('[CLIENT-67] when it deletes what somebody else has deleted, as soon as Postgres has that', async () => {
    const channelId = await group();
    const { messageId } = await bob.trpc.message.send.mutate(text(channelId, 'hello'));
    await ada.trpc.message.delete.mutate({ channelId, messageId });
    const again = () => bob.trpc.message.delete.mutate({ channelId, messageId, op: { id: randomUUID() } });
    await until(async () => (await again()).level === 'persisted', 'it is settled');
  });
});
