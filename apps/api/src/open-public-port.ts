import { fileURLToPath } from 'node:url';
import { BATCH_MAX_CALLS, CLOSE_CODES, FRAME_MAX_BYTES } from '@parley/protocol';
import type { Log, Metrics, Service } from '@parley/runtime';
import { createHttpDoor, createPublicServer, createSocketDoor } from '@parley/transport';
import { createDevTokens } from './auth/dev-token.ts';
import type { Principal } from './auth/verify-token.ts';
import { createFailureReport } from './call-failures.ts';
import type { Context } from './context.ts';
import { createFileRoutes, type FileRoutesDeps, isUpload } from './files/file-routes.ts';
import { createFront } from './http/front.ts';
import { createWebPage } from './http/web-page.ts';
import { openFileSession, openHttpSession } from './http-sessions.ts';
import { createPublicPort } from './public-port.ts';
import { appRouter } from './router.ts';
import { closingOf, type SessionDeps } from './sessions.ts';
import type { ApiSettings } from './settings.ts';
import { openSocketSession } from './socket-session.ts';

interface OpenPortOptions {
  readonly settings: ApiSettings;
  readonly listen: { readonly port: number; readonly host: string; readonly reusePort: boolean };
  readonly threads: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sessions: SessionDeps;
  readonly answers: Pick<Context, 'cases' | 'feeds'>;
  readonly files: FileRoutesDeps;
  readonly healthy: () => boolean;
}

const TRPC_PATH = '/trpc';
/** What pages of allowed origins may say in the head of a request. */
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'x-parley-protocol',
  'x-no-compression',
  'trpc-accept',
  'last-event-id',
];
const LINGER_MAX_MS = 5_000;
const UPLOAD_WITHIN_MS = 10 * 60_000;
const WEB_ROOT = fileURLToPath(new URL('../../web/dist', import.meta.url));

/** The public port of one thread: tRPC by socket and by HTTP, the web page, and what a probe asks. */
export function openPublicPort(options: OpenPortOptions): Service {
  const { settings, log, metrics, sessions, answers, listen } = options;
  const { ALLOWED_HOSTS: hosts, ALLOWED_ORIGINS: origins } = settings;
  const onError = createFailureReport(log, metrics);
  const bySocket = openSocketSession(sessions);
  const byHttp = openHttpSession(sessions);
  const connections = Math.ceil(settings.MAX_CONNECTIONS / options.threads);
  const trpc = createHttpDoor({
    router: appRouter,
    path: TRPC_PATH,
    hosts,
    origins,
    allowedHeaders: ALLOWED_HEADERS,
    maxStreams: connections,
    compression: settings.COMPRESSION !== 'off',
    maxBodyBytes: FRAME_MAX_BYTES,
    maxBatchSize: BATCH_MAX_CALLS,
    createContext: async (opening) => ({ ...answers, session: await byHttp(opening) }),
    log,
    metrics,
    onError,
  });
  const page = createWebPage(settings.WEB_ROOT ?? WEB_ROOT);
  const devToken = devTokensOf(settings, sessions.meet);
  // A file costs as much as a call.
  const files = createFileRoutes({ ...options.files, identify: openFileSession(sessions), origins, log });
  const front = createFront({ hosts, trpc, files, devToken, healthy: options.healthy, page, log });
  const server = createPublicServer(front, { slow: { isSlow: isUpload, withinMs: UPLOAD_WITHIN_MS } });
  const door = createSocketDoor({
    server,
    path: TRPC_PATH,
    hosts,
    origins,
    router: appRouter,
    createContext: async (opening) => ({ ...answers, session: await bySocket(opening) }),
    refused: closingOf,
    unidentified: { code: CLOSE_CODES.AUTH_TIMEOUT, reason: 'no token in time' },
    slowCode: CLOSE_CODES.SLOW,
    limits: {
      connections,
      callsPerFrame: BATCH_MAX_CALLS,
      feeds: BATCH_MAX_CALLS,
      frameMaxBytes: FRAME_MAX_BYTES,
      waitingBytes: settings.SOCKET_BUFFER_MAX_BYTES / options.threads,
    },
    log,
    metrics,
    onError,
  });
  // A client that has nowhere else to go keeps its socket: where the window is short, so is the wait for it.
  const drain = { windowMs: settings.DRAIN_WINDOW_MS, lingerMs: Math.min(LINGER_MAX_MS, settings.DRAIN_WINDOW_MS) };
  return createPublicPort({ server, door, http: trpc, drain, listen });
}

/** Null without `DEV_TOKENS`. The user is there at once, so that others can write to him. */
function devTokensOf(settings: ApiSettings, meet: (principal: Principal) => Promise<void>) {
  const { DEV_TOKENS, AUTH_SECRET: secret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = settings;
  if (!DEV_TOKENS || secret === null) return null;
  const make = createDevTokens({ secret, issuer, audience });
  return async (body: unknown) => {
    const made = await make(body);
    if (!made) return null;
    const { token, userId, name } = made;
    const nothing = { avatarUrl: null, email: null, locale: null, sid: null, issuedAt: 0, expiresAt: 0 };
    await meet({ userId, name, ...nothing });
    return { token, userId };
  };
}
