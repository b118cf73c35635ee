import {
  cachedArchive,
  cachedDirectory,
  cachesOff,
  close,
  connect,
  createConnection,
  createKeys,
  createSilence,
  Epochs,
  HeaderLoad,
  LogStore,
  ReadThrough,
  RedisChannelViews,
  RedisMessageLog,
  ReplicaWait,
} from '@parley/cache';
import { createDoorbell, createThumbnails, queuePrefix } from '@parley/queue';
import { createLog, createMetrics, type Metrics, systemClock } from '@parley/runtime';
import { openStore } from '@parley/store';
import { createCases } from '../src/cases/cases.ts';
import type { Cases } from '../src/context.ts';
import { createFileParts } from '../src/files/file-parts.ts';
import { channelIds, operationIds } from '../src/ids.ts';
import { measureRecent } from '../src/measure-recent.ts';
import { readApiSettings } from '../src/settings.ts';

/** What one node answers, without its doors: callers in this process, real stores. */
export interface ReaderRig extends AsyncDisposable {
  readonly cases: Cases;
  readonly metrics: Metrics;
}

const nobody = () => Promise.reject(new Error('only sends that do not wait'));

/** A node beside a stack's own, on the same stores. */
export async function startReader(env: Record<string, string>): Promise<ReaderRig> {
  const settings = readApiSettings(env);
  const log = createLog({ name: 'test', level: 'silent' });
  const metrics = createMetrics();
  const owned = new AsyncDisposableStack();
  const redis = {
    log: createConnection({ url: settings.REDIS_LOG_URL, kind: 'log', timeoutMs: 10_000, log }),
    cache: createConnection({ url: settings.REDIS_CACHE_URL, kind: 'cache', timeoutMs: 10_000, log }),
  };
  for (const one of Object.values(redis)) {
    await connect(one, 10_000);
    owned.defer(() => close(one));
  }
  const store = openStore(settings, { name: 'reader', log });
  owned.defer(() => store.stop());
  const keys = createKeys(settings.KEY_PREFIX);
  const logStore = new LogStore({ redis: redis.log });
  const server = { url: settings.REDIS_LOG_URL, prefix: queuePrefix(settings.KEY_PREFIX) };
  const doorbell = createDoorbell({ server, lanes: settings.LANES, log, metrics });
  const epochs = new Epochs({ store: logStore, ledger: store.ledger, keys, backlogMaxEntries: 50_000, log });
  for (const one of [doorbell, epochs]) {
    await one.run();
    owned.defer(() => one.stop());
  }
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: store.headers, doorbell });
  const replicas = new ReplicaWait(logStore, 0);
  const views = new RedisChannelViews({ store: logStore, epochs, keys });
  const copies = new ReadThrough({ redis: redis.cache, keys, off: cachesOff(settings), metrics });
  owned.defer(() => copies.stop());
  const messageLog = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas });
  const thumbnails = createThumbnails({ server, log });
  owned.defer(() => thumbnails.stop());
  const files = createFileParts({ settings, attachments: store.attachments, thumbnails, log });
  const archive = cachedArchive(store.archive, { copies, views });
  const deps = {
    archive,
    directory: cachedDirectory(store.directory, { copies, profiles: archive }),
    openDirectory: false,
    silence: createSilence({ store: logStore, keys, log: messageLog }),
    ...files.cases,
    push: store.push,
    pushKey: settings.VAPID_PUBLIC_KEY,
    pushRules: { hosts: settings.PUSH_HOSTS, loopback: true },
    copies,
    views,
    log: messageLog,
    limiter: { take: () => Promise.resolve({ allowed: true, retryAfterMs: 0 }) },
    doorbell,
    watch: { watch: nobody },
    hints: { tell: () => undefined },
    clock: systemClock,
    ids: { ...operationIds, ...channelIds },
    memberLimit: settings.MAX_CHANNEL_MEMBERS,
    presences: { of: () => Promise.resolve([]), forget: nobody },
    sessions: { begin: () => () => undefined, choose: nobody },
    typing: { say: nobody },
  };
  return {
    cases: measureRecent(createCases(deps), deps, metrics),
    metrics,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
