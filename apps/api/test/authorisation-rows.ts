import { randomUUID } from 'node:crypto';

/** Who calls. `silenced` is a member who may not speak now. */
export const CALLERS = ['stranger', 'guest', 'member', 'silenced', 'moderator', 'admin', 'owner'] as const;
export type Caller = (typeof CALLERS)[number];

/** What a call is about: a group that all but the stranger are in, with a message of the caller's own and one of another member. */
export interface Scene {
  readonly channelId: string;
  readonly ownMessageId: string;
  readonly otherMessageId: string;
  readonly head: `${number}-${number}`;
  /** A guest of the group, below everybody else. */
  readonly otherId: string;
  /** Not in the group. */
  readonly outsiderId: string;
  readonly publicChannelId: string;
}

/** What becomes of a call: it is answered, or refused with a code. */
export type Outcome = 'ok' | 'FORBIDDEN' | 'NOT_FOUND' | 'SILENCED' | 'INVALID';

export interface Row {
  readonly input: (scene: Scene) => unknown;
  /** Who is no member; by default the channel does not exist for him. */
  readonly stranger?: Outcome;
  /** The lowest role that may; those below are refused as `FORBIDDEN`. By default everybody in the channel. */
  readonly least?: Exclude<Caller, 'stranger' | 'silenced'>;
  /** By default as any member. */
  readonly silenced?: Outcome;
  /** What it is for those who may; by default it is answered. */
  readonly allowed?: Outcome;
}

const everybody = { stranger: 'ok' } as const;
const op = () => ({ id: randomUUID() });

/** Every procedure: who may call it. A new one without a row fails the test. */
export const ROWS: Readonly<Record<string, Row>> = {
  'user.me': { input: () => undefined, ...everybody },
  'user.get': { input: ({ otherId }) => ({ userIds: [otherId] }), ...everybody },
  'user.search': { input: () => ({ query: 'guest' }), ...everybody },
  'user.contacts': { input: () => undefined, ...everybody },
  'user.settings': { input: () => undefined, ...everybody },
  'user.update': { input: () => ({ statusText: 'here' }), ...everybody },
  'user.block': { input: ({ outsiderId }) => ({ userId: outsiderId }), ...everybody },
  'user.unblock': { input: ({ outsiderId }) => ({ userId: outsiderId }), ...everybody },
  'session.ticket': { input: () => undefined, ...everybody },
  'channel.create': { input: () => ({ kind: 'group', memberIds: [], clientId: randomUUID() }), ...everybody },
  'channel.list': { input: () => undefined, ...everybody },
  'channel.get': { input: ({ channelId }) => ({ channelId }) },
  'channel.browse': { input: () => ({}), ...everybody },
  'channel.stats': { input: ({ channelId }) => ({ channelId }) },
  'channel.update': { input: ({ channelId }) => ({ channelId, name: randomUUID(), op: op() }), least: 'admin' },
  'channel.archive': { input: ({ channelId }) => ({ channelId, op: op() }), least: 'admin' },
  'channel.mute': { input: ({ channelId }) => ({ channelId, until: 4_000_000_000_000 }) },
  'channel.join': { input: ({ publicChannelId }) => ({ channelId: publicChannelId, op: op() }), ...everybody },
  'channel.leave': { input: ({ channelId }) => ({ channelId, op: op() }) },
  'channel.invite': {
    input: ({ channelId, outsiderId }) => ({ channelId, userIds: [outsiderId] }),
    least: 'moderator',
  },
  'channel.invitations': { input: () => undefined, ...everybody },
  'member.add': {
    input: ({ channelId, outsiderId }) => ({ channelId, userIds: [outsiderId], op: op() }),
    least: 'moderator',
  },
  'member.remove': { input: ({ channelId, otherId: userId }) => ({ channelId, userId, op: op() }), least: 'moderator' },
  'member.setRole': {
    input: ({ channelId, otherId: userId }) => ({ channelId, userId, role: 'member', op: op() }),
    least: 'moderator',
  },
  'member.silence': {
    input: ({ channelId, otherId: userId }) => ({ channelId, userId, until: 4_000_000_000_000, op: op() }),
    least: 'moderator',
  },
  'member.list': { input: ({ channelId }) => ({ channelId }) },
  'message.send': {
    input: ({ channelId }) => ({ channelId, clientMsgId: randomUUID(), body: 'x' }),
    silenced: 'SILENCED',
  },
  'message.edit': {
    input: ({ channelId, ownMessageId }) => ({ channelId, messageId: ownMessageId, body: 'y', op: op() }),
    silenced: 'SILENCED',
  },
  'message.delete': {
    input: ({ channelId, otherMessageId }) => ({ channelId, messageId: otherMessageId, op: op() }),
    least: 'moderator',
  },
  'message.page': { input: ({ channelId }) => ({ channelId }) },
  'message.thread': { input: ({ channelId, otherMessageId }) => ({ channelId, messageId: otherMessageId }) },
  'message.get': { input: ({ channelId, otherMessageId }) => ({ channelId, messageId: otherMessageId }) },
  'message.search': { input: () => ({ query: 'something' }), ...everybody },
  'reaction.add': {
    input: ({ channelId, otherMessageId }) => ({ channelId, messageId: otherMessageId, emoji: '👍', op: op() }),
    silenced: 'SILENCED',
  },
  'reaction.remove': {
    input: ({ channelId, otherMessageId }) => ({ channelId, messageId: otherMessageId, emoji: '👍', op: op() }),
    silenced: 'SILENCED',
  },
  'receipt.read': { input: ({ channelId, head }) => ({ channelId, position: head }) },
  'receipt.delivered': { input: ({ channelId, head }) => ({ channelId, position: head }) },
  'receipt.list': { input: ({ channelId, otherMessageId }) => ({ channelId, messageId: otherMessageId }) },
  'presence.set': { input: () => ({ status: 'busy' }), ...everybody },
  'presence.get': { input: ({ otherId }) => ({ userIds: [otherId] }), ...everybody },
  'typing.set': { input: ({ channelId }) => ({ channelId, typing: true }) },
  'attachment.create': {
    input: ({ channelId }) => ({ channelId, fileName: 'a.txt', contentType: 'text/plain', byteSize: 3 }),
  },
  // What was not uploaded, or is somebody else's, does not exist: the tests of attachments go further.
  'attachment.complete': {
    input: () => ({ attachmentId: randomUUID() }),
    stranger: 'NOT_FOUND',
    allowed: 'NOT_FOUND',
  },
  'attachment.url': { input: () => ({ attachmentId: randomUUID() }), stranger: 'NOT_FOUND', allowed: 'NOT_FOUND' },
  'push.key': { input: () => undefined, ...everybody },
  'push.subscribe': {
    input: () => ({
      // A port of this machine at which nobody listens: a worker may try to push.
      endpoint: `http://127.0.0.1:9/${randomUUID()}`,
      keys: {
        p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
        auth: 'tBHItJI5svbpez7KI4CCXg',
      },
    }),
    ...everybody,
  },
  'push.unsubscribe': { input: () => ({ endpoint: 'https://fcm.googleapis.com/fcm/send/none' }), ...everybody },
  'feed.channel': { input: ({ channelId }) => ({ channelId }) },
  'feed.inbox': { input: () => ({}), ...everybody },
};

const RANKS: readonly Caller[] = ['stranger', 'guest', 'member', 'moderator', 'admin', 'owner'];

/** What a row says of a caller. */
export function outcomeOf(row: Row, caller: Caller): Outcome {
  const { stranger = 'NOT_FOUND', least = 'guest', allowed = 'ok' } = row;
  if (caller === 'stranger') return stranger;
  if (caller === 'silenced' && row.silenced) return row.silenced;
  const role = caller === 'silenced' ? 'member' : caller;
  return RANKS.indexOf(role) >= RANKS.indexOf(least) ? allowed : 'FORBIDDEN';
}
