import {
  type Change,
  type ChatApi,
  memoryOutboxStorage,
  type OpenChannel,
  type OutboxStorage,
  type ShownMessage,
} from '@parley/client';
import { comparePositions, inputs, type Parsed } from '@parley/protocol';
import { TRPCClientError } from '@trpc/client';
import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server';
import { formatError } from '../../../../apps/api/src/error-shape.ts';
import { ChatClient } from '../../../client/src/chat-client.ts';
import { ConnectionStatus } from '../../../client/src/connection/connection-status.ts';
import { newId } from '../../../client/src/new-id.ts';
import type { Acked } from '../../src/history.ts';
import { type ApiNode, sessionOf } from './api-node.ts';
import { Actor, type Schedule } from './schedule.ts';

type Call = (input: unknown) => Promise<unknown>;

/** A user on the client that others use, whose connection is to a node in the same process: everything but tRPC's frames is real. */
export class ChatUser {
  readonly userId: string;
  readonly actor: Actor;
  readonly client: ChatClient;
  readonly storage: OutboxStorage = memoryOutboxStorage();
  /** Own messages, in their order. */
  readonly sent: { readonly channelId: string; readonly clientMsgId: string }[] = [];
  /** What he was told of them, once for each position. */
  readonly acked = new Map<string, Acked>();
  /** Lists that no list may be. */
  readonly wrong: string[] = [];
  readonly #schedule: Schedule;
  readonly #believesAccepted: boolean;
  readonly #looks = new Map<string, OpenChannel>();
  readonly #status = new ConnectionStatus();
  #node: ApiNode | null = null;
  /** Aborted when the connection is lost. */
  #connection = new AbortController();
  #connected = Promise.withResolvers<void>();

  constructor(schedule: Schedule, userId: string, options: { believesAccepted: boolean }) {
    this.userId = userId;
    this.#schedule = schedule;
    this.#believesAccepted = options.believesAccepted;
    this.actor = new Actor(`user ${userId.slice(0, 4)}`);
    const clock = schedule.clockOf(this.actor);
    this.client = new ChatClient({
      api: this.#api(),
      connection: { state: this.#status.state, proven: () => this.#status.proven(), stop: () => this.#status.stop() },
      outboxStorage: this.storage,
      clock,
      random: schedule.chance,
      newId: () => newId(clock.now()),
      // A client lives with these.
      onProblem: () => undefined,
    });
  }

  get node(): ApiNode | null {
    return this.#node;
  }

  /** A channel that he looks at all the time. */
  look(channelId: string): OpenChannel {
    const open = this.#looks.get(channelId) ?? this.client.openChannel(channelId);
    if (!this.#looks.has(channelId)) {
      this.#looks.set(channelId, open);
      open.store.subscribe(() => this.#seen(channelId, open.store.getSnapshot().messages));
    }
    return open;
  }

  /** To the beginning of every channel: what is older than a page is shown when it is asked for. */
  scrollBack(): void {
    for (const look of this.#looks.values()) {
      const { hasOlder, isLoadingOlder } = look.store.getSnapshot();
      if (hasOlder && !isLoadingOlder) void look.loadOlder();
    }
  }

  send(channelId: string, body: string): void {
    this.sent.push({ channelId, clientMsgId: this.client.send(channelId, body) });
  }

  change(channelId: string, change: Change): void {
    this.client.change(channelId, change);
  }

  connect(node: ApiNode): void {
    this.#node = node;
    this.#connection = new AbortController();
    this.#connected.resolve();
  }

  /** What was asked and not answered has an unknown outcome; feeds go on where they were once there is a connection again. */
  disconnect(): void {
    if (!this.#node) return;
    this.#node = null;
    this.#connected = Promise.withResolvers();
    this.#connection.abort(new Error('the connection is lost'));
    this.#status.lost();
  }

  /** Each message once, in the order of the log, and own marks kept. */
  #seen(channelId: string, messages: readonly ShownMessage[]): void {
    const keys = new Set(messages.map(({ key }) => key));
    if (keys.size < messages.length) this.wrong.push(`sees ${messages.length - keys.size} messages twice`);
    let last: ShownMessage | null = null;
    for (const shown of messages) {
      const { position, mark, clientMsgId, senderId, messageId } = shown;
      if (position === null || messageId === null) continue;
      if (last?.position && comparePositions(position, last.position) <= 0)
        this.wrong.push(`sees ${position} (${mark}) after ${last.position} (${last.mark})`);
      last = shown;
      if (shown.isOwn && (mark === 'accepted' || mark === 'persisted'))
        this.acked.set(`${channelId} ${position}`, { channelId, senderId, clientMsgId, messageId, position });
    }
  }

  #api(): ChatApi {
    return {
      call: async (path, input, signal) => {
        await this.#connected.promise;
        const { node, lost } = this.#now();
        const [group = '', name = ''] = path.split('.');
        const procedures = node.callerOf(this.userId) as unknown as Record<string, Record<string, Call>>;
        const call = procedures[group]?.[name];
        if (!call) throw new Error(`no such procedure: ${path}`);
        this.#schedule.note(`${this.actor.name}: asks ${path} ${JSON.stringify(input).slice(0, 300)}`);
        const answer = await unlessLost(call(copyOf(input)), lost, signal).catch((error: unknown) => {
          throw lost.aborted ? error : asClient(error, path);
        });
        const told = copyOf(answer);
        this.#schedule.note(`${this.actor.name}: is answered ${path} ${JSON.stringify(answer).slice(0, 3000)}`);
        return (this.#believesAccepted ? believed(told) : told) as never;
      },
      feed: (path, input, observer) => {
        const over = new AbortController();
        void this.#follow({ path, input, over: over.signal }, observer);
        return () => over.abort(new Error('over'));
      },
    };
  }

  #now(): { node: ApiNode; lost: AbortSignal } {
    if (!this.#node) throw new Error('the connection is lost');
    return { node: this.#node, lost: this.#connection.signal };
  }

  async #follow(
    { path, input, over }: { path: 'feed.channel' | 'feed.inbox'; input: unknown; over: AbortSignal },
    observer: { onEvent(id: string, event: never): void; onEnd(error: unknown): void },
  ): Promise<void> {
    let lastEventId: string | undefined;
    while (!over.aborted) {
      await this.#connected.promise;
      if (over.aborted || !this.#node) continue;
      const { node, lost } = this.#now();
      const signal = AbortSignal.any([lost, over]);
      try {
        const asked = { ...(input as object), ...(lastEventId !== undefined && { lastEventId }) };
        for await (const [id, event] of feedOf(node, this.userId, { path, asked, signal })) {
          if (signal.aborted) break;
          lastEventId = id;
          this.#schedule.note(`${this.actor.name}: is told ${inWords(id, event)}`);
          observer.onEvent(id, copyOf(event) as never);
        }
        if (!signal.aborted) return observer.onEnd(null);
      } catch (error) {
        if (!signal.aborted) return observer.onEnd(asClient(error, path));
      }
    }
  }
}

interface Followed {
  readonly path: 'feed.channel' | 'feed.inbox';
  readonly asked: object;
  readonly signal: AbortSignal;
}

function feedOf(node: ApiNode, userId: string, { path, asked, signal }: Followed) {
  const session = sessionOf(userId);
  if (path === 'feed.inbox')
    return node.feeds.inbox(session, inputs[path].parse(asked) as Parsed<'feed.inbox'>, signal);
  return node.feeds.channel(session, inputs[path].parse(asked) as Parsed<'feed.channel'>, signal);
}

/** The outcome, or an error without a word from the server as soon as the connection is lost or nobody waits. */
function unlessLost<T>(asked: Promise<T>, lost: AbortSignal, given: AbortSignal | undefined): Promise<T> {
  const signal = given ? AbortSignal.any([lost, given]) : lost;
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('the connection is lost'));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    asked.then(resolve, reject);
  });
}

/** The error as it comes out of the stock client. */
function asClient(error: unknown, path: string): unknown {
  const cause = error instanceof TRPCError ? error : getTRPCErrorFromUnknown(error);
  const shape = { message: cause.message, code: -32603, data: { code: cause.code, httpStatus: 500, path } } as const;
  return TRPCClientError.from({ error: formatError({ shape, error: cause }) } as never);
}

/** An event as a trail tells it. */
function inWords(id: string, event: object): string {
  const { type, ...rest } = event as { type: string; channelId?: string };
  return `${type} ${id} ${JSON.stringify(rest).slice(0, 300)}`;
}

/** An answer that says more than is so. */
function believed(answer: unknown): unknown {
  const isAccepted = typeof answer === 'object' && answer !== null && 'level' in answer && answer.level === 'accepted';
  return isAccepted ? { ...answer, level: 'persisted' } : answer;
}

/** As it would have come over a wire. */
function copyOf<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
