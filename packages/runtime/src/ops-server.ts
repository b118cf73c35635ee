import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { systemClock } from './clock.ts';
import type { Log } from './log.ts';
import type { Service } from './service.ts';

/** Whether the process can serve, and how each thing stands that it depends on. */
export interface Readiness {
  readonly ok: boolean;
  readonly dependencies: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

interface OpsServerOptions {
  readonly port: number;
  readonly host: string;
  readonly log: Log;
  /** Depends on nothing outside the process: a restart does not cure a database. */
  readonly live: () => boolean;
  readonly ready: () => Promise<Readiness>;
  /** The text that Prometheus reads. */
  readonly metrics: () => Promise<string>;
  /** More pages of JSON, by path. */
  readonly views?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Pages like `/readyz`, of parts of the process, by path. */
  readonly health?: Readonly<Record<string, () => Promise<Readiness>>>;
  /** What a POST from this machine may set off, by path. For tests: nobody else is told that there is such a path. */
  readonly actions?: Readonly<Record<string, () => Promise<unknown>>>;
  /** An answer that takes longer counts as a failure. */
  readonly answerWithinMs?: number;
}

/** The operators' HTTP server. */
export interface OpsServer extends Service {
  /** The port that it listens on, once it runs. */
  readonly port: number;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const LOOPBACK = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/;

const json = (value: unknown, status = 200): Page => ({
  status,
  type: 'application/json',
  text: JSON.stringify(value),
});

/** Serves `/livez`, `/readyz` (503 when not ready), `/metrics` and the given views and health pages. Error texts stay in the log. */
export function createOpsServer(options: OpsServerOptions): OpsServer {
  const { log, answerWithinMs = 5_000 } = options;
  const pages = new Map<string, () => Promise<Page>>([
    ['/livez', async () => json({ ok: options.live() }, options.live() ? 200 : 503)],
    ['/readyz', () => readyPage(options.ready)],
    ['/metrics', async () => ({ status: 200, type: 'text/plain; version=0.0.4', text: await options.metrics() })],
    ...Object.entries(options.views ?? {}).map(
      ([path, view]) => [path, async () => json(await view())] satisfies [string, () => Promise<Page>],
    ),
    ...Object.entries(options.health ?? {}).map(
      ([path, health]) => [path, () => readyPage(health)] satisfies [string, () => Promise<Page>],
    ),
  ]);

  const actions = new Map(
    Object.entries(options.actions ?? {}).map(([path, act]) => [path, async () => json(await act())]),
  );

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/'] = (request.url ?? '/').split('?');
    const isLocal = LOOPBACK.test(request.socket.remoteAddress ?? '');
    const isAction = request.method === 'POST' && isLocal && actions.has(path);
    if (!isAction && request.method !== 'GET' && request.method !== 'HEAD') {
      return send(response, json({ error: 'GET only' }, 405));
    }
    const page = (isAction ? actions : pages).get(path);
    if (!page) return send(response, json({ error: 'not found', pages: [...pages.keys()] }, 404));
    try {
      send(response, await within(page(), answerWithinMs));
    } catch (error) {
      log.error({ err: error, path }, 'an operators’ page failed');
      send(response, json({ ok: false, error: 'failed: see the log' }, path === '/readyz' ? 503 : 500));
    }
  }

  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 8_192 },
    (request, response) => void answer(request, response),
  );

  return {
    name: 'ops server',
    get port() {
      return portOf(server) ?? options.port;
    },
    run: () => listening(server, options),
    stop: () => closed(server),
  };
}

async function readyPage(ready: () => Promise<Readiness>): Promise<Page> {
  const readiness = await ready();
  return json(readiness, readiness.ok ? 200 : 503);
}

function send(response: ServerResponse, page: Page): void {
  if (response.destroyed) return;
  response.writeHead(page.status, { 'content-type': page.type, 'cache-control': 'no-store' }).end(page.text);
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const done = new AbortController();
  const late = systemClock.sleep(ms, done.signal).then(
    () => Promise.reject(new Error(`no answer within ${ms} ms`)),
    () => work,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : undefined;
}

function listening(server: Server, { port, host }: { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
