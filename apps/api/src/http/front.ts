import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@parley/runtime';
import { findHostRefusal, type HttpDoor, refusalAnswer } from '@parley/transport';
import type { FileRoutes } from '../files/file-routes.ts';
import { answerJson, readJson } from './answer.ts';
import { isLocal } from './peer.ts';

interface FrontOptions {
  /** Host names that may be asked for; empty: any. */
  readonly hosts: readonly string[];
  readonly trpc: Pick<HttpDoor, 'answer'>;
  readonly files: FileRoutes;
  /** Makes a token for whom the body names, null when it names nobody. Null: there is no such route. */
  readonly devToken: ((body: unknown) => Promise<object | null>) | null;
  /** Whether this thread can serve anything. */
  readonly healthy: () => boolean;
  readonly page: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: Log;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const DEV_BODY_MAX_BYTES = 1_024;

/** Everything of the public port that is not a socket. Never throws: what fails is answered and logged. */
export function createFront(options: FrontOptions): Listener {
  return (request, response) => {
    try {
      route(options, request, response);
    } catch (error) {
      failed(options, response, error);
    }
  };
}

function route(options: FrontOptions, request: IncomingMessage, response: ServerResponse): void {
  const { hosts, devToken, trpc, files, page, healthy } = options;
  const [path = '/'] = (request.url ?? '/').split('?');
  // A probe comes by an address, not by a name.
  if (path === '/healthz') {
    answerJson(response, healthy() ? 200 : 503, { ok: healthy() });
    return;
  }
  const refusal = findHostRefusal(request, hosts);
  if (refusal) {
    const { headers, body } = refusalAnswer(refusal);
    response.writeHead(refusal.status, headers).end(body);
    return;
  }
  if (trpc.answer(request, response) || files(request, response)) return;
  if (path === '/dev/token' && devToken && isLocal(request)) {
    giveToken(devToken, request, response).catch((error: unknown) => failed(options, response, error));
  } else if (request.method === 'GET' || request.method === 'HEAD') {
    page(request, response);
  } else {
    answerJson(response, 404, { error: 'not found' });
  }
}

function failed({ log }: FrontOptions, response: ServerResponse, error: unknown): void {
  log.error({ err: error }, 'an HTTP request failed');
  answerJson(response, 500, { error: 'failed: see the log' });
}

async function giveToken(
  devToken: NonNullable<FrontOptions['devToken']>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') {
    answerJson(response, 405, { error: 'POST only' });
    return;
  }
  const token = await devToken(await readJson(request, DEV_BODY_MAX_BYTES));
  answerJson(response, token ? 200 : 400, token ?? { error: 'expected { "name": "…" }' });
}
