import { createHmac } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChatClient,
  type ChatClientOptions,
  type ConnectionState,
  createChatClient,
  memoryOutboxStorage,
  type OpenChannel,
  type OutboxStorage,
  type ShownMessage,
} from '@parley/client';
import { comparePositions } from '@parley/protocol';
import type { Acked, Observed } from '../src/history.ts';

/** One address for all apis, as a load balancer gives it: a connection goes to the next one that takes it. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** Connections so far, by the port they went to. */
  readonly taken: ReadonlyMap<number, number>;
}

export async function balance(ports: () => readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  const taken = new Map<number, number>();
  let turn = 0;
  // Small frames in a row would wait for each other's acknowledgement.
  const server = createServer({ noDelay: true }, (client) => {
    open.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => open.delete(client));
    const live = ports();
    turn += 1;
    const tryNext = (left: number) => {
      const port = live[(turn + left) % live.length];
      if (left === 0 || port === undefined) return void client.destroy();
      const api = connect({ port, host: '127.0.0.1', noDelay: true });
      let isUp = false;
      api.on('connect', () => {
        isUp = true;
        taken.set(port, (taken.get(port) ?? 0) + 1);
        client.pipe(api).pipe(client);
      });
      api.on('error', () => (isUp ? client.destroy() : tryNext(left - 1)));
      api.on('close', () => isUp && client.destroy());
      client.on('close', () => api.destroy());
    };
    tryNext(live.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    taken,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An HS256 token as an issuer with the cluster's secret would sign it. */
export function signToken(secret: string, sub: string, lifeMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub, name: sub, exp: Math.floor((Date.now() + lifeMs) / 1_000) };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** One open channel, and everything that it ever showed. */
export interface Look {
  readonly channelId: string;
  readonly channel: OpenChannel;
  /** The marks of each own message, in the order in which they were shown. */
  readonly marks: Map<string, ShownMessage['mark'][]>;
  /** Own messages as they were when they were shown as accepted or persisted: one for each position. */
  readonly acked: Map<string, Acked>;
  /** What a list must never be: a message twice, or out of order. */
  readonly wrong: string[];
  /** Own messages in the order in which they were sent. */
  readonly sent: string[];
}

/** A user on `@parley/client`: what the application saw of it. */
export interface SdkUser extends AsyncDisposable {
  readonly name: string;
  readonly client: ChatClient;
  readonly storage: OutboxStorage;
  readonly userId: string;
  readonly states: ConnectionState[];
  readonly looks: Look[];
  readonly problems: unknown[];
  look(channelId: string): Look;
  send(look: Look, body: string): string;
}

/** Runs a client and resolves when it is connected and knows who it is. */
export async function startSdkUser(
  url: string,
  name: string,
  by: (() => string | Promise<string>) | Pick<ChatClientOptions, 'getToken' | 'carrier' | 'EventSource'>,
): Promise<SdkUser> {
  const storage = memoryOutboxStorage();
  const problems: unknown[] = [];
  const client = createChatClient({
    url: `${url}/trpc`,
    ...(typeof by === 'function' ? { getToken: by } : by),
    outboxStorage: storage,
    onProblem: (error) => problems.push(error),
  });
  const states: ConnectionState[] = [];
  client.connection.subscribe(() => states.push(client.connection.getSnapshot()));
  await client.run();
  await until(() => client.me.getSnapshot() !== null && client.inbox.getSnapshot().state === 'ready');
  const userId = client.me.getSnapshot()?.id ?? '';
  const looks: Look[] = [];
  return {
    name,
    client,
    storage,
    userId,
    states,
    looks,
    problems,
    look: (channelId) => {
      const look: Look = {
        channelId,
        channel: client.openChannel(channelId),
        marks: new Map(),
        acked: new Map(),
        wrong: [],
        sent: [],
      };
      look.channel.store.subscribe(() => notice(look, name));
      looks.push(look);
      return look;
    },
    send: (look, body) => {
      const id = client.send(look.channelId, body);
      look.sent.push(id);
      return id;
    },
    [Symbol.asyncDispose]: async () => client.stop(),
  };
}

function notice(look: Look, name: string): void {
  const { messages } = look.channel.store.getSnapshot();
  const keys = new Set(messages.map((each) => each.key));
  if (keys.size < messages.length) look.wrong.push(`${name} sees ${messages.length - keys.size} messages twice`);
  let last: ShownMessage | null = null;
  for (const shown of messages) {
    const { position, mark, clientMsgId, senderId, message } = shown;
    if (shown.isOwn) {
      const marks = look.marks.get(clientMsgId) ?? [];
      if (marks.at(-1) !== mark) look.marks.set(clientMsgId, [...marks, mark]);
      if (position && message && (mark === 'accepted' || mark === 'persisted')) {
        const { channelId } = look;
        look.acked.set(position, { channelId, senderId, clientMsgId, messageId: message.id, position });
      }
    }
    if (position === null) continue;
    if (last?.position && comparePositions(position, last.position) <= 0) {
      look.wrong.push(`${name} sees ${position} (${mark}) after ${last.position} (${last.mark})`);
    }
    last = shown;
  }
}

/** The whole channel as this view shows it, older pages loaded. */
export async function wholeView(user: SdkUser, look: Look): Promise<Observed> {
  const { store } = look.channel;
  for (let pages = 0; store.getSnapshot().hasOlder && pages < 200; pages += 1) await look.channel.loadOlder();
  const seen = store.getSnapshot().messages.map(({ message, position }) => ({
    messageId: message?.id ?? 'not of the log',
    position: position ?? ('0-0' as const),
  }));
  return { observer: user.name, channelId: look.channelId, seen };
}

/** Nothing is left in any outbox, in memory or stored. */
export async function allSettled(users: readonly SdkUser[], withinMs: number): Promise<void> {
  const open = (user: SdkUser) =>
    user.looks.some((look) => {
      const { state, messages } = look.channel.store.getSnapshot();
      return state !== 'ready' || messages.some((each) => each.isOwn && each.mark !== 'persisted');
    });
  await until(() => !users.some(open), withinMs);
  for (const user of users) await until(async () => (await user.storage.load()).length === 0, withinMs);
}

/** Waits until it is so; fails when that takes too long. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; !(await isSo()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`not so within ${withinMs} ms: ${isSo}`);
  }
}
