import { Lifecycle } from '@parley/runtime';
import { createKnownUsers } from './auth/known-users.ts';
import { createVerifier } from './auth/verify-token.ts';
import { answersOf } from './compose-answers.ts';
import { type ComposeOptions, openStores, type Stores } from './compose-stores.ts';
import { askDependencies, createPolicyCheck, type ThreadStanding } from './dependencies.ts';
import { openPublicPort } from './open-public-port.ts';
import { createConnectionTable, UserConnections } from './user-connections.ts';

/** One thread of the api, put together and not started. */
export interface ApiThread {
  run(): Promise<void>;
  /** Sends everybody elsewhere, then lets go of the stores. */
  drain(): Promise<void>;
  standing(): Promise<ThreadStanding>;
}

/** Puts one thread together. Nothing connects and nothing listens before `run`. */
export function composeThread(options: ComposeOptions): ApiThread {
  const { settings, log, shared = { connections: createConnectionTable(1), slot: 0 } } = options;
  const stores = openStores(options);
  let serving = false;
  const lifecycle = new Lifecycle({ log });
  for (const service of stores.services) lifecycle.supporting(service);
  const sessions = {
    verify: createVerifier({
      secret: settings.AUTH_SECRET,
      jwksUrl: settings.AUTH_JWKS_URL,
      issuer: settings.AUTH_ISSUER,
      audience: settings.AUTH_AUDIENCE,
    }),
    standings: stores.standings,
    live: stores.live,
    meet: createKnownUsers({ archive: stores.archive, log }),
    connections: new UserConnections({
      max: settings.CONNECTIONS_PER_USER,
      table: shared.connections,
      slot: shared.slot,
    }),
    limiter: stores.limiter,
    presence: stores.ephemeral.sessions,
    tickets: stores.tickets,
    graceMs: settings.TOKEN_GRACE_MS,
  };
  const answers = answersOf(options, stores);
  const files = stores.files.routes({ ...stores, log: stores.messageLog });
  const port = openPublicPort({ ...options, sessions, answers, files, healthy: () => serving });
  lifecycle.userFacing(port, { withinMs: settings.DRAIN_WINDOW_MS + 10_000 });
  const standing = standingOf(options, stores);
  return {
    run: async () => {
      await lifecycle.run();
      serving = true;
    },
    drain: () => {
      serving = false;
      stores.hub.announce({ type: 'drain', at: Date.now(), reconnectAfterMs: settings.DRAIN_WINDOW_MS });
      return lifecycle.drain();
    },
    standing: async () => ({ serving, dependencies: await standing() }),
  };
}

function standingOf({ settings }: ComposeOptions, { redis, epochs, store }: Stores) {
  const strict = settings.NODE_ENV === 'production';
  const policies = createPolicyCheck({ log: redis.log, cache: redis.cache, fsync: settings.LOG_FSYNC }, strict);
  return () =>
    askDependencies({
      log: async () => {
        await redis.log.ping();
        return `epoch ${epochs.current.epoch}`;
      },
      cache: async () => {
        await redis.cache.ping();
        return undefined;
      },
      postgres: async () => {
        await store.check();
        return undefined;
      },
      policies,
    });
}
