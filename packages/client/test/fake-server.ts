import type { Answer, ErrorCode, FailureData } from '@parley/protocol';
import { formatPosition, type Input, type Message, type Position } from '@parley/protocol';
import { TRPCClientError } from '@trpc/client';
import type { CallPath, ChatApi, FeedEvents, FeedObserver } from '../src/chat-api.ts';

/** The error that the stock client throws when the server refuses. */
export function refusal(code: ErrorCode, more: Partial<FailureData> = {}): Error {
  const retryable = !['INVALID', 'FORBIDDEN', 'TOO_LARGE', 'NOT_FOUND', 'UNAUTHENTICATED'].includes(code);
  const data = { code: 'BAD_REQUEST', httpStatus: 400, parley: { code, retryable, ...more } };
  return TRPCClientError.from({ error: { code: -32_000, message: code, data } });
}

/** The error that the stock client throws when the socket is gone. */
export function lostSocket(): Error {
  return TRPCClientError.from(new Error('WebSocket closed'));
}

export function messageAt(position: Position, more: Partial<Message> = {}): Message {
  return {
    id: `id-${position}`,
    channelId: 'c',
    position,
    clientMsgId: `cm-${position}`,
    senderId: 'other',
    body: `body ${position}`,
    sentAt: 1,
    editedAt: null,
    deletedAt: null,
    replyTo: null,
    threadOf: null,
    replyCount: 0,
    reactions: [],
    attachments: [],
    mentions: [],
    encrypted: null,
    persisted: true,
    ...more,
  };
}

type SendInput = Input<'message.send'>;
type SendAnswer = Answer<'message.send'>;

/**
 * One channel's log and Postgres as far as a sender notices them: positions, epochs, dedupe answers, look-ups, and the refusal of a send
 * whose forerunners were confirmed in another epoch.
 */
export class FakeLog {
  epoch = 5;
  #n = 0;
  log: Message[] = [];
  postgres: Message[] = [];
  readonly calls: SendInput[] = [];

  send(input: SendInput): SendAnswer {
    this.calls.push(input);
    const { op, clientMsgId } = input;
    if (op?.epoch !== undefined && op.epoch !== this.epoch) throw refusal('CONFLICT', { epoch: this.epoch });
    const inLog = this.log.find((message) => message.clientMsgId === clientMsgId);
    const inPostgres = this.postgres.find((message) => message.clientMsgId === clientMsgId);
    if (inPostgres) return this.#answer(inPostgres, 'persisted', true);
    if (inLog) return this.#answer(inLog, 'accepted', true);
    this.#n += 1;
    const position = formatPosition({ epoch: this.epoch, n: this.#n });
    const message = messageAt(position, { clientMsgId, senderId: 'me', body: input.body, persisted: false });
    this.log.push(message);
    return this.#answer(message, 'accepted', false);
  }

  /** Fail-over to a server that never got what is not persisted. */
  lose(): void {
    this.epoch += 1;
    this.#n = 0;
    this.log = [];
  }

  persist(): Position | null {
    this.postgres.push(...this.log.map((message) => ({ ...message, persisted: true })));
    const last = this.log.at(-1)?.position ?? null;
    this.log = [];
    return last;
  }

  #answer(message: Message, level: 'accepted' | 'persisted', duplicate: boolean): SendAnswer {
    const { id: messageId, position, sentAt } = message;
    return { epoch: this.epoch, messageId, position, sentAt, level, duplicate };
  }
}

type Handlers = { [K in CallPath]?: (input: Input<K>) => Answer<K> | Promise<Answer<K>> };

export interface OpenFeed<K extends keyof FeedEvents> {
  readonly input: Input<K>;
  readonly observer: FeedObserver<FeedEvents[K]>;
  isOpen: boolean;
}

/** A server whose answers the test writes, and whose feeds the test feeds. */
export class FakeApi implements ChatApi {
  readonly handlers: Handlers = {};
  readonly channelFeeds: OpenFeed<'feed.channel'>[] = [];
  readonly inboxFeeds: OpenFeed<'feed.inbox'>[] = [];

  async call<K extends CallPath>(path: K, input: Input<K>): Promise<Answer<K>> {
    const handler: ((input: Input<K>) => Answer<K> | Promise<Answer<K>>) | undefined = this.handlers[path];
    if (!handler) throw refusal('NOT_FOUND');
    return handler(input);
  }

  feed<K extends keyof FeedEvents>(path: K, input: Input<K>, observer: FeedObserver<FeedEvents[K]>): () => void {
    const feed = { input, observer, isOpen: true };
    const feeds: unknown[] = path === 'feed.channel' ? this.channelFeeds : this.inboxFeeds;
    feeds.push(feed);
    return () => {
      feed.isOpen = false;
    };
  }
}
