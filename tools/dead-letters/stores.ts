import {
  cacheSettings,
  close,
  connect,
  createConnection,
  createKeys,
  Epochs,
  HeaderLoad,
  LogStore,
  RedisMessageLog,
  ReplicaWait,
} from '@parley/cache';
import { createDeadJobs, type DeadJobs, queuePrefix } from '@parley/queue';
import { createLog, readSettings } from '@parley/runtime';
import { openStore, type Store, storeSettings } from '@parley/store';

/** Where dead letters are, and the way back into the log. */
export interface Stores extends AsyncDisposable {
  readonly store: Store;
  readonly jobs: DeadJobs;
  readonly log: RedisMessageLog;
}

const { REDIS_LOG_URL, KEY_PREFIX, LOG_TIMEOUT_MS, LOG_REPLICAS, BACKLOG_MAX_ENTRIES } = cacheSettings;
const settings = { ...storeSettings, REDIS_LOG_URL, KEY_PREFIX, LOG_TIMEOUT_MS, LOG_REPLICAS, BACKLOG_MAX_ENTRIES };

/** Connects to a stack as an api does. Throws a `SettingsError` when the environment names none. */
export async function openStores(env: NodeJS.ProcessEnv): Promise<Stores> {
  const values = readSettings(settings, env);
  const logger = createLog({ name: 'dead-letters', level: 'fatal' });
  await using opened = new AsyncDisposableStack();
  const store = opened.use(openStore(values, { name: 'parley-dead-letters', log: logger }));
  const url = values.REDIS_LOG_URL;
  const redis = createConnection({ url, kind: 'log', timeoutMs: values.LOG_TIMEOUT_MS, log: logger });
  opened.defer(() => close(redis));
  await connect(redis);
  const keys = createKeys(values.KEY_PREFIX);
  const logStore = new LogStore({ redis });
  const backlogMaxEntries = values.BACKLOG_MAX_ENTRIES;
  const epochs = new Epochs({ store: logStore, ledger: store.ledger, keys, backlogMaxEntries, log: logger });
  opened.defer(() => epochs.stop());
  const doorbell = { ring: () => undefined };
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: store.headers, doorbell });
  const replicas = new ReplicaWait(logStore, values.LOG_REPLICAS);
  const jobs = createDeadJobs({ server: { url, prefix: queuePrefix(values.KEY_PREFIX) }, log: logger });
  opened.defer(() => jobs.close());
  const owned = opened.move();
  return {
    store,
    jobs,
    log: new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
