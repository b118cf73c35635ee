import { randomUUID } from 'node:crypto';
import type { ChannelViews, Verdict } from '@parley/domain';
import { formatPosition, ORIGIN, type Position } from '@parley/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Node, setting, settleAll } from '../packages/cache/test/rig.ts';
import { getMessage } from '../packages/domain/src/find-message.ts';
import { pageMessages } from '../packages/domain/src/page-messages.ts';

// The window was read in one epoch, and what is known of changed messages in the next, which has forgotten it: edits were undone, and
// deleted words came back, in a page that nothing corrected afterwards.

const owner = randomUUID();
let scene: Awaited<ReturnType<typeof setting>>;
let node: Node;
beforeEach(async () => {
  scene = await setting(owner, { appendonly: 'no' });
  node = await scene.start();
});
afterEach(() => scene[Symbol.asyncDispose]());

interface Written {
  readonly messageId: string;
  readonly position: Position;
}

/** A message of this epoch. */
async function said(): Promise<Written> {
  const { channelId } = scene;
  await node.log.load(channelId);
  const [messageId, clientMsgId] = [randomUUID(), randomUUID()];
  const none = { replyTo: null, threadOf: null, attachmentIds: [], mentions: [], encrypted: null };
  const json = JSON.stringify({ id: messageId, channelId, clientMsgId, senderId: owner, body: 'as it was', ...none });
  const verdict = await node.log.accept({ channelId, senderId: owner, clientMsgId, messageId, json });
  return { messageId, position: stored(verdict) };
}

/** A message that was edited in the epoch in which it was written. */
async function edited(): Promise<Written> {
  const { messageId, position } = await said();
  const { channelId } = scene;
  const operationId = randomUUID();
  const words = { senderId: owner, position, threadOf: null, body: 'as it was', editedAt: null, deletedAt: null };
  const known = {
    epoch: node.epochs.current.epoch,
    states: { [messageId]: { ...words, reactors: {}, replyCount: 0 } },
  };
  const change = { kind: 'e', messageId, body: 'as it is' } as const;
  const asked = { channelId, actorId: owner, operationId, leastRank: 3, json: JSON.stringify({ id: operationId }) };
  stored(await node.log.amend({ ...asked, change, known }));
  return { messageId, position };
}

/** Postgres' channel goes up to the entry that was just accepted. */
function stored(verdict: Verdict): Position {
  const channel = scene.source.channels.get(scene.channelId);
  if (verdict.type !== 'accepted' || !channel) throw new Error(verdict.type);
  const { m, at } = verdict.place;
  const position = formatPosition(verdict.place);
  scene.source.channels.set(scene.channelId, { ...channel, head: { position, m, at } });
  return position;
}

/** The log store is lost just before it is asked this; before it is asked for states it is in a new epoch already. */
function lostBefore(call: 'states' | 'before', views: ChannelViews): ChannelViews {
  let isLost = false;
  return new Proxy(views, {
    get: (target, name: keyof ChannelViews) => {
      if (name !== call) return target[name].bind(target);
      return async (...asked: never[]) => {
        if (!isLost) {
          isLost = true;
          await node.redis.flushall();
          if (call === 'states') await node.epochs.renew();
          if (call === 'states') await node.log.load(scene.channelId);
        }
        return (target[call] as (...asked: never[]) => unknown).apply(target, asked);
      };
    },
  });
}

function reading({ messageId, position }: Written, call: 'states' | 'before' = 'states') {
  const { epoch } = node.epochs.current;
  const nothing = { id: messageId, channelId: scene.channelId, clientMsgId: randomUUID(), senderId: owner, position };
  const stored = {
    ...nothing,
    body: 'as it is',
    editedAt: 2,
    sentAt: 1,
    deletedAt: null,
    replyTo: null,
    threadOf: null,
  };
  const rest = {
    replyCount: 0,
    reactions: [],
    reactors: {},
    attachments: [],
    mentions: [],
    encrypted: null,
    persisted: true,
  };
  const message = { ...stored, ...rest };
  return {
    views: lostBefore(call, node.views),
    log: node.log,
    archive: {
      channel: async () => null,
      message: async () => message,
      // Somebody had read the entries before they were lost, and Postgres has them when the next epoch begins.
      page: async () => ({
        items: epoch === node.epochs.current.epoch ? [] : [message],
        hasBefore: false,
        hasAfter: false,
      }),
    },
  };
}

it('[PAGE-24] a page is of one epoch: where the next begins under it, it is read anew', async () => {
  const found = await edited();
  const page = await pageMessages(reading(found))(owner, { channelId: scene.channelId, limit: 10 });
  expect(page.items.map(({ id, body }) => [id, body])).toEqual([[found.messageId, 'as it is']]);
});

it('[PAGE-24] so it is where the window was lost before it was read', async () => {
  const found = await said();
  const page = await pageMessages(reading(found, 'before'))(owner, { channelId: scene.channelId, limit: 10 });
  expect(page.items.map(({ id, body }) => [id, body])).toEqual([[found.messageId, 'as it is']]);
});

it('[PAGE-24] so is a single message', async () => {
  const found = await edited();
  const message = await getMessage(reading(found))(owner, { channelId: scene.channelId, messageId: found.messageId });
  expect(message.body).toBe('as it is');
});

it('[PAGE-24] states are those of where the channel stood, or none', async () => {
  const { messageId } = await edited();
  const { channelId } = scene;
  const { epoch } = node.epochs.current;
  const asked = [{ channelId, since: { epoch, n: 2 }, ids: [messageId] }];
  // Another server, which had less of the same epoch when it took over.
  expect(await node.views.states([{ channelId, since: { epoch, n: 3 }, ids: [] }])).toEqual([null]);
  expect(await node.views.states(asked)).toMatchObject([[{ body: 'as it is' }]]);
  await settleAll(node, scene.ledger, channelId);
  expect(await node.views.states(asked)).toMatchObject([[{ body: 'as it is' }]]);
  await node.redis.flushall();
  expect(await node.views.states(asked)).toEqual([null]);
  await node.epochs.renew();
  await node.log.load(channelId);
  expect(await node.views.states(asked)).toEqual([null]);
  expect(
    await node.views.states([{ channelId, since: { epoch: node.epochs.current.epoch, n: 0 }, ids: [messageId] }]),
  ).toEqual([[null]]);
  expect(await node.views.after(channelId, ORIGIN, 10)).toEqual([]);
});
