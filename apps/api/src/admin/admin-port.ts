import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AdminStore, Failure } from '@parley/domain';
import { textSchema } from '@parley/protocol';
import type { Log, Service } from '@parley/runtime';
import { answerJson, readJson } from '../http/answer.ts';
import { adminFailureOf } from './admin-failure.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { createFinder, type Match, type Reply, type Route } from './routes.ts';

interface AdminPortOptions {
  readonly port: number;
  readonly host: string;
  readonly gatekeeper: Gatekeeper;
  readonly routes: readonly Route[];
  readonly store: Pick<AdminStore, 'audit'>;
  readonly log: Log;
}

type Hit = Extract<Match, { type: 'route' }>;

const BODY_MAX_BYTES = 65_536;
const actorSchema = textSchema(1, 100);

/** The administrators' HTTP server: plain JSON, one token, every call in the audit. */
export function createAdminPort(options: AdminPortOptions): Service {
  const { port, host, log } = options;
  const find = createFinder(options.routes);
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 8_192 },
    (request, response) => {
      answer({ ...options, find }, request, response).catch((error: unknown) => {
        log.error({ err: error }, 'a call of the admin API failed');
        response.destroy();
      });
    },
  );
  return {
    name: 'admin port',
    run: async () => {
      server.listen(port, host);
      await once(server, 'listening');
    },
    stop: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Answering = AdminPortOptions & { readonly find: ReturnType<typeof createFinder> };

async function answer(options: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    enter(options, request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://admin');
    const hit = options.find(request.method ?? '', pathname);
    if (hit.type === 'nowhere') throw new Failure('NOT_FOUND', 'no such path');
    if (hit.type === 'elsewhere') {
      response.setHeader('allow', hit.methods.join(', '));
      answerJson(response, 405, {
        error: { code: 'INVALID', message: `${hit.methods.join(', ')} only`, retryable: false },
      });
      return;
    }
    const work = async () => {
      const body = request.method === 'GET' ? {} : await bodyIn(request);
      const reply = await hit.route.work({ ids: hit.ids, query: searchParams, body });
      if ('lines' in reply) await stream(response, reply);
      return reply;
    };
    const reply = await audited(options, request, { ...hit, work });
    if ('value' in reply) answerJson(response, reply.status, reply.value);
  } catch (error) {
    fail(options.log, response, error);
  }
}

/** Throws for whoever has not the token. */
function enter({ gatekeeper, log }: AdminPortOptions, request: IncomingMessage): void {
  const address = addressOf(request);
  const admittance = gatekeeper.admit(address, request.headers.authorization);
  if (admittance.type === 'welcome') return;
  log.warn({ address, admittance: admittance.type }, 'somebody without the token called the admin API');
  if (admittance.type === 'wrong') throw new Failure('UNAUTHENTICATED', 'the token is not the one');
  throw new Failure('RATE_LIMITED', 'too many failed attempts', { retryAfterMs: admittance.retryAfterMs });
}

/**
 * What changes something is written down before it is tried, and again when it is done: what cannot be written down is not done. What
 * only reads is written down when it is done.
 */
async function audited(
  { store, log }: AdminPortOptions,
  request: IncomingMessage,
  { route, ids, work }: Hit & { work: () => Promise<Reply> },
): Promise<Reply> {
  const line = {
    callId: randomUUID(),
    actor: actorIn(request),
    address: addressOf(request),
    action: route.action,
    target: Object.values(ids)[0] ?? null,
  };
  if (route.method !== 'GET') await store.audit({ ...line, outcome: null });
  let reply: Reply;
  try {
    reply = await work();
  } catch (error) {
    await store.audit({ ...line, outcome: adminFailureOf(error).error.code });
    throw error;
  }
  // It is done, and cannot be taken back.
  await store.audit({ ...line, outcome: 'ok' }).catch((error: unknown) => {
    log.error({ err: error, ...line }, 'the audit has no line of a call that was done');
  });
  return reply;
}

function actorIn(request: IncomingMessage): string {
  const actor = request.headers['x-admin-actor'];
  if (actor === undefined) return 'admin';
  const parsed = actorSchema.safeParse(actor);
  if (!parsed.success) throw new Failure('INVALID', 'x-admin-actor: 1 to 100 characters');
  return parsed.data;
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? 'unknown';
}

async function bodyIn(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-length'] === '0' || !hasBody(request)) return {};
  const body = await readJson(request, BODY_MAX_BYTES);
  if (body === undefined) throw new Failure('INVALID', 'the body is no JSON, or too long');
  return body;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

async function stream(response: ServerResponse, reply: Extract<Reply, { lines: unknown }>): Promise<void> {
  response.writeHead(reply.status, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  await pipeline(Readable.from(asLines(reply.lines)), response);
}

async function* asLines(values: AsyncIterable<unknown>): AsyncGenerator<string, void, undefined> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

function fail(log: Log, response: ServerResponse, error: unknown): void {
  const { status, error: told } = adminFailureOf(error);
  if (told.errorId !== undefined) log.error({ err: error, errorId: told.errorId }, 'a call of the admin API failed');
  // A stream that breaks off must not look whole.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (told.retryAfterMs !== undefined) response.setHeader('retry-after', Math.ceil(told.retryAfterMs / 1_000));
  answerJson(response, status, { error: told });
}
