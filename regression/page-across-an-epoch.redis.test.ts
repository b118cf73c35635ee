import { randomUUID } from 'node:crypto';
import type { ChannelViews } from '@parley/domain';
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

/** A message of this epoch that was edited in it; Postgres has the edit. */
async function edited(): Promise<{ messageId: string; position: Position }> {
  const { channelId } = scene;
  await node.log.load(channelId);
  const [messageId, clientMsgId, operationId] = [randomUUID(), randomUUID(), randomUUID()];
  const none = { replyTo: null, threadOf: null, attachmentIds: [], mentions: [], encrypted: null };
  const json = JSON.stringify({ id: messageId, channelId, clientMsgId, senderId: owner, body: 'as it was', ...none });
  const sent = await node.log.accept({ channelId, senderId: owner, clientMsgId, messageId, json });
  if (sent.type !== 'accepted') throw new Error(sent.type);
  const position = formatPosition(sent.place);
  const state = {
    senderId: owner,
    position,
    threadOf: null,
    editedAt: null,
    deletedAt: null,
    reactors: {},
    replyCount: 0,
  };
  const change = { kind: 'e', messageId, body: 'as it is' } as const;
  const known = { epoch: sent.place.epoch, states: { [messageId]: { ...state, body: 'as it was' } } };
  const asked = { channelId, actorId: owner, operationId, leastRank: 3, json: JSON.stringify({ id: operationId }) };
  const made = await node.log.amend({ ...asked, change, known });
  if (made.type !== 'accepted') throw new Error(made.type);
  const channel = scene.source.channels.get(channelId);
  if (!channel) throw new Error('no channel');
  const { m, at } = made.place;
  scene.source.channels.set(channelId, { ...channel, head: { position: formatPosition(made.place), m, at } });
  return { messageId, position };
}

/** The log store is lost, and is in a new epoch, just before it is asked what was changed. */
function lostBeforeStates(views: ChannelViews): ChannelViews {
  let isLost = false;
  return new Proxy(views, {
    get: (target, name: keyof ChannelViews) => {
      if (name !== 'states') return target[name].bind(target);
      return async (asked: Parameters<ChannelViews['states']>[0]) => {
        if (!isLost) {
          isLost = true;
          await node.redis.flushall();
          await node.epochs.renew();
          await node.log.load(scene.channelId);
        }
        return target.states(asked);
      };
    },
  });
}

function reading({ messageId, position }: { messageId: string; position: Position }) {
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
    views: lostBeforeStates(node.views),
    log: node.log,
    archive: {
      channel: async () => null,
      message: async () => message,
      page: async () => ({ items: [message], hasBefore: false, hasAfter: false }),
    },
  };
}

it('[PAGE-24] a page is of one epoch: where the next begins under it, it is read anew', async () => {
  const found = await edited();
  const page = await pageMessages(reading(found))(owner, { channelId: scene.channelId, limit: 10 });
  expect(page.items.map(({ id, body }) => [id, body])).toEqual([[found.messageId, 'as it is']]);
});

it('[PAGE-24] so is a single message', async () => {
  const found = await edited();
  const message = await getMessage(reading(found))(owner, { channelId: scene.channelId, messageId: found.messageId });
  expect(message.body).toBe('as it is');
});

it('[PAGE-24] states are those of the epoch that was asked for, or none', async () => {
  const { messageId } = await edited();
  const { channelId } = scene;
  const asked = [{ channelId, epoch: node.epochs.current.epoch, ids: [messageId] }];
  expect(await node.views.states(asked)).toMatchObject([[{ body: 'as it is' }]]);
  await settleAll(node, scene.ledger, channelId);
  expect(await node.views.states(asked)).toMatchObject([[{ body: 'as it is' }]]);
  await node.redis.flushall();
  expect(await node.views.states(asked)).toEqual([null]);
  await node.epochs.renew();
  await node.log.load(channelId);
  expect(await node.views.states(asked)).toEqual([null]);
  expect(await node.views.states([{ channelId, epoch: node.epochs.current.epoch, ids: [messageId] }])).toEqual([
    [null],
  ]);
  expect(await node.views.after(channelId, ORIGIN, 10)).toEqual([]);
});
