import { fileURLToPath } from 'node:url';
import { BATCH_MAX_CALLS, CLOSE_CODES, FRAME_MAX_BYTES } from '@parley/protocol';
import type { Log, Metrics, Service } from '@parley/runtime';
import { createHttpDoor, createPublicServer, createSocketDoor } from '@parley/transport';
import { createDevTokens } from './auth/dev-token.ts';
import type { Principal } from './auth/verify-token.ts';
import { createFailureReport } from './call-failures.ts';
import type { Context } from './context.ts';
import { createFront } from './http/front.ts';
import { createWebPage } from './http/web-page.ts';
import { createPublicPort } from './public-port.ts';
import { appRouter } from './router.ts';
import { closingOf, openHttpSession, openSocketSession, type SessionDeps } from './sessions.ts';
import type { ApiSettings } from './settings.ts';

interface OpenPortOptions {
  readonly settings: ApiSettings;
  readonly listen: { readonly port: number; readonly host: string; readonly reusePort: boolean };
  readonly threads: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sessions: SessionDeps;
  readonly answers: Pick<Context, 'cases' | 'feeds'>;
  readonly healthy: () => boolean;
}

const TRPC_PATH = '/trpc';
const LINGER_MAX_MS = 5_000;
const WEB_ROOT = fileURLToPath(new URL('../../web/dist', import.meta.url));

/** The public port of one thread: tRPC by socket and by HTTP, the web page, and what a probe asks. */
export function openPublicPort(options: OpenPortOptions): Service {
  const { settings, log, metrics, sessions, answers, listen } = options;
  const { ALLOWED_HOSTS: hosts, ALLOWED_ORIGINS: origins } = settings;
  const onError = createFailureReport(log, metrics);
  const bySocket = openSocketSession(sessions);
  const byHttp = openHttpSession(sessions);
  const trpc = createHttpDoor({
    router: appRouter,
    path: TRPC_PATH,
    hosts,
    maxBodyBytes: FRAME_MAX_BYTES,
    maxBatchSize: BATCH_MAX_CALLS,
    createContext: async ({ req, info }) => ({ ...answers, session: await byHttp(req, info.calls.length) }),
    onError,
  });
  const page = createWebPage(settings.WEB_ROOT ?? WEB_ROOT);
  const devToken = devTokensOf(settings, sessions.meet);
  const server = createPublicServer(createFront({ hosts, trpc, devToken, healthy: options.healthy, page, log }));
  const connections = Math.ceil(settings.MAX_CONNECTIONS / options.threads);
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
    limits: { connections, callsPerFrame: BATCH_MAX_CALLS, feeds: BATCH_MAX_CALLS, frameMaxBytes: FRAME_MAX_BYTES },
    // A client that has nowhere else to go keeps its socket: where the window is short, so is the wait for it.
    drain: { windowMs: settings.DRAIN_WINDOW_MS, lingerMs: Math.min(LINGER_MAX_MS, settings.DRAIN_WINDOW_MS) },
    log,
    metrics,
    onError,
  });
  return createPublicPort({ server, door, listen });
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
