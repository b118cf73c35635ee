import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type FailureData, inputs } from '@parley/protocol';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocketServer } from 'ws';
import { MemoryChat } from './memory-chat.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** The strictest policy that the page must live with. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws:; img-src 'self'; base-uri 'none'; form-action 'none'";

class Refused extends Error {
  readonly failure: FailureData = { code: 'FORBIDDEN', retryable: false };
}

const t = initTRPC.context<{ userId: string }>().create({
  errorFormatter: ({ shape, error }) => ({
    ...shape,
    data: { ...shape.data, ...(error.cause instanceof Refused && { parley: error.cause.failure }) },
  }),
});

/** Turns what a listener hears into what a feed yields. */
async function* feed<E>(
  open: (listener: (id: string, event: E) => void) => () => void,
  signal: AbortSignal | undefined,
) {
  const waiting: [string, E][] = [];
  let wake = () => {};
  const close = open((id, event) => {
    waiting.push([id, event]);
    wake();
  });
  signal?.addEventListener('abort', () => wake());
  try {
    while (!signal?.aborted) {
      const next = waiting.shift();
      if (next) yield tracked(next[0], next[1]);
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    close();
  }
}

function routerOf(chat: MemoryChat) {
  const { procedure } = t;
  return t.router({
    user: t.router({
      me: procedure.query(({ ctx }) => chat.users([ctx.userId])[0]),
      get: procedure.input(inputs['user.get']).query(({ input }) => chat.users(input.userIds)),
    }),
    channel: t.router({
      create: procedure
        .input(inputs['channel.create'])
        .mutation(({ ctx, input }) => ({ ...chat.create(ctx.userId, input), epoch: 7 })),
      browse: procedure.input(inputs['channel.browse']).query(({ input }) => chat.browse(input)),
      invitations: procedure.query(() => []),
      mute: procedure
        .input(inputs['channel.mute'])
        .mutation(({ input }) => ({ muted: input.until !== null, until: input.until })),
      join: procedure.input(inputs['channel.join']).mutation(({ ctx, input }) => chat.join(ctx.userId, input)),
      leave: procedure.input(inputs['channel.leave']).mutation(({ ctx, input }) => chat.leave(ctx.userId, input)),
      update: procedure.input(inputs['channel.update']).mutation(({ input }) => chat.rename(input)),
      get: procedure.input(inputs['channel.get']).query(({ ctx, input }) => chat.summary(input.channelId, ctx.userId)),
    }),
    message: t.router({
      send: procedure.input(inputs['message.send']).mutation(({ ctx, input }) => {
        if (chat.refused.has(input.body)) throw new TRPCError({ code: 'FORBIDDEN', cause: new Refused() });
        return chat.send(ctx.userId, input);
      }),
      edit: procedure.input(inputs['message.edit']).mutation(({ ctx, input }) => {
        if (chat.refused.has(input.body)) throw new TRPCError({ code: 'FORBIDDEN', cause: new Refused() });
        return chat.edit(ctx.userId, input);
      }),
      delete: procedure.input(inputs['message.delete']).mutation(({ input }) => chat.remove(input)),
      page: procedure.input(inputs['message.page']).query(({ ctx, input }) => chat.page(ctx.userId, input)),
      thread: procedure.input(inputs['message.thread']).query(({ ctx, input }) => chat.thread(ctx.userId, input)),
    }),
    reaction: t.router({
      add: procedure.input(inputs['reaction.add']).mutation(({ ctx, input }) => chat.react(ctx.userId, input, true)),
      remove: procedure
        .input(inputs['reaction.remove'])
        .mutation(({ ctx, input }) => chat.react(ctx.userId, input, false)),
    }),
    member: t.router({
      list: procedure.input(inputs['member.list']).query(({ input }) => chat.members(input.channelId)),
      setRole: procedure.input(inputs['member.setRole']).mutation(({ input }) => chat.setRole(input)),
    }),
    presence: t.router({
      get: procedure.input(inputs['presence.get']).query(({ input }) => chat.presence(input)),
    }),
    typing: t.router({
      set: procedure.input(inputs['typing.set']).mutation(({ ctx, input }) => chat.type(ctx.userId, input)),
    }),
    receipt: t.router({
      read: procedure.input(inputs['receipt.read']).mutation(({ ctx, input }) => chat.read(ctx.userId, input)),
      delivered: procedure
        .input(inputs['receipt.delivered'])
        .mutation(({ ctx, input }) => chat.delivered(ctx.userId, input)),
    }),
    feed: t.router({
      channel: procedure
        .input(inputs['feed.channel'])
        .subscription(({ ctx, input, signal }) =>
          feed((listener) => chat.openChannel(ctx.userId, input, listener), signal),
        ),
      inbox: procedure
        .input(inputs['feed.inbox'])
        .subscription(({ ctx, signal }) => feed((listener) => chat.openInbox(ctx.userId, listener), signal)),
    }),
  });
}

/** The built page, a sign-in by name and a chat in memory behind the stock tRPC adapter, on one port. */
export class MemoryServer {
  readonly chat = new MemoryChat();
  readonly #root: string;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #http = createServer((request, response) => void this.#serve(request, response));
  #isDown = false;

  constructor(root: string) {
    this.#root = root;
  }

  async run(port = 0): Promise<string> {
    applyWSSHandler({
      wss: this.#sockets,
      router: routerOf(this.chat),
      createContext: ({ info }) => ({ userId: info.connectionParams?.token ?? '' }),
    });
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.#isDown) socket.destroy();
      else this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#sockets.emit('connection', ws, request));
    });
    await new Promise<void>((resolve) => this.#http.listen(port, '127.0.0.1', resolve));
    const { port: bound } = this.#http.address() as AddressInfo;
    return `http://127.0.0.1:${bound}`;
  }

  /** Cuts every socket and takes no new one, until it is called with false. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
    if (isDown) for (const socket of this.#sockets.clients) socket.terminate();
  }

  async stop(): Promise<void> {
    this.setDown(true);
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/dev/token' && request.method === 'POST') {
      let text = '';
      for await (const chunk of request) text += chunk;
      const user = this.chat.user(JSON.parse(text).name);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ token: user.id, userId: user.id }));
      return;
    }
    const file = path === '/' ? '/index.html' : path;
    const content = await readFile(join(this.#root, file)).catch(() => null);
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(content);
  }
}
