import { randomUUID } from 'node:crypto';
import type { ClientSpec, Dialect } from './orders.ts';

/** What a frame without a message's mark says. */
export type Word =
  | { readonly kind: 'open' }
  | { readonly kind: 'answer'; readonly seq: number; readonly refusal: string }
  | { readonly kind: 'reply'; readonly text: string }
  /** A subscription was refused, or ended. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'other' };

/** How one system is spoken to. */
export interface Speech {
  readonly path: string;
  /** Said as soon as the socket is open. */
  hello(client: ClientSpec, channelId: string | null, lastEventId: string | null): string[];
  /** Whether a socket that has just opened has nothing more to wait for. */
  readonly openAtOnce: boolean;
  send(channelId: string, seq: number, body: string): string;
  read(text: string, channelId: string | null): Word;
}

const OTHER: Word = { kind: 'other' };
const OPEN: Word = { kind: 'open' };
/** Mutations have ids above those of all subscriptions. */
const SENDS_FROM = 1_000_000;
const INBOX_ID = 900_000;

const trpc: Speech = {
  path: '/trpc?connectionParams=1',
  openAtOnce: false,
  hello({ token, requestId, inbox }, channelId, lastEventId) {
    const input = { channelId, ...(lastEventId !== null && { lastEventId }) };
    const say = (id: number, path: string, params: object) =>
      JSON.stringify({ id, method: 'subscription', params: { path, ...params } });
    return [
      JSON.stringify({ method: 'connectionParams', data: { token } }),
      ...(inbox ? [say(INBOX_ID, 'feed.inbox', { input: {} })] : []),
      // Who only sends asks something, to know that it is let in.
      channelId === null
        ? JSON.stringify({ id: requestId, method: 'query', params: { path: 'user.me' } })
        : say(requestId, 'feed.channel', { input }),
    ];
  },
  send: (channelId, seq, body) =>
    JSON.stringify({
      id: SENDS_FROM + seq,
      method: 'mutation',
      params: { path: 'message.send', input: { channelId, clientMsgId: randomUUID(), body } },
    }),
  read(text) {
    if (text === 'PING') return { kind: 'reply', text: 'PONG' };
    const id = Number(/^\{"id":(\d+)/.exec(text)?.[1] ?? 0);
    const failed = text.includes('"error":{');
    if (id >= SENDS_FROM) return { kind: 'answer', seq: id - SENDS_FROM, refusal: failed ? text : '' };
    if (failed) return { kind: 'failed', reason: text.slice(0, 500) };
    if (id === INBOX_ID || id === 0) return OTHER;
    return /"type":"opened"|"data":\{"id":"[0-9a-f-]{36}","name"/.test(text) ? OPEN : OTHER;
  },
};

const socketIo: Speech = {
  path: '/socket.io/?EIO=4&transport=websocket',
  openAtOnce: false,
  hello: () => [],
  send: (channelId, seq, body) => `42${seq}["send",${JSON.stringify({ channelId, id: randomUUID(), body })}]`,
  read(text, room) {
    if (text === '2') return { kind: 'reply', text: '3' };
    if (text.startsWith('0')) return { kind: 'reply', text: `40${JSON.stringify({ room })}` };
    if (text.startsWith('43')) {
      const bracket = text.indexOf('[');
      const answer = text.slice(bracket);
      return { kind: 'answer', seq: Number(text.slice(2, bracket)), refusal: answer.includes('error') ? answer : '' };
    }
    if (text.startsWith('42["joined"')) return OPEN;
    return OTHER;
  },
};

/** A socket that is subscribed by being open, and sends nothing. */
const plain: Speech = {
  path: '/',
  openAtOnce: true,
  hello: () => [],
  send: () => {
    throw new Error('nothing can be sent over this socket');
  },
  read: () => OTHER,
};

/** How clients of this dialect speak. */
export function speechOf(dialect: Dialect): Speech {
  return { trpc, 'socket-io': socketIo, plain }[dialect];
}

/** Where nothing is said, the address says to what one subscribes. */
export function pathOf(speech: Speech, channelId: string | null): string {
  return speech === plain && channelId !== null ? `${speech.path}?room=${encodeURIComponent(channelId)}` : speech.path;
}
