import type {
  AdminStore,
  Archive,
  AttachmentGraves,
  Attachments,
  Directory,
  DrainStore,
  EpochLedger,
  HeaderSource,
  Housekeeping,
  OfflineStore,
  PushSubscriptions,
  SeenStore,
} from '@parley/domain';
import type { Log, Metrics, Service } from '@parley/runtime';
import { adminStore } from './admin/admin-store.ts';
import { directory } from './archive/directory.ts';
import { archive } from './archive.ts';
import { attachmentGraves, attachments } from './attachments.ts';
import { Database, type PoolUse } from './database.ts';
import { drainStore } from './drain-store.ts';
import { epochLedger } from './epoch-ledger.ts';
import { headerSource } from './header-source.ts';
import { housekeeping } from './housekeeping.ts';
import { offlineStore } from './offline-store.ts';
import { measurePool, UNMEASURED } from './pool-metrics.ts';
import { pushSubscriptions } from './push-subscriptions.ts';
import { seenStore } from './seen-store.ts';
import {
  POOL_MAX_DEFAULT,
  SLOW_STATEMENT_MS_DEFAULT,
  STATEMENT_TIMEOUT_MS_DEFAULT,
  type StoreSettings,
} from './settings.ts';
import { statement } from './statement.ts';

/** Postgres, by what it is asked for. */
export interface Store extends Service, AsyncDisposable {
  readonly archive: Archive;
  readonly directory: Directory;
  readonly admin: AdminStore;
  readonly ledger: EpochLedger;
  readonly headers: HeaderSource;
  readonly drain: DrainStore;
  readonly seen: SeenStore;
  readonly attachments: Attachments;
  readonly graves: AttachmentGraves;
  readonly push: PushSubscriptions;
  readonly offline: OfflineStore;
  readonly housekeeping: Housekeeping;
  /** Rejects when Postgres does not answer, or its tables are not there. */
  check(): Promise<void>;
  poolUse(): PoolUse;
}

interface OpenOptions {
  /** How Postgres' own views name this process: `parley-` and what the pool is for. */
  readonly name: string;
  readonly log?: Log;
  readonly metrics?: Metrics | undefined;
}

const CHECK = statement('check');

/** Makes a store at once; it connects when it is first asked for something, and again after Postgres was away. */
export function openStore(settings: StoreSettings, { name, log, metrics }: OpenOptions): Store {
  const max = settings.DB_POOL_MAX ?? POOL_MAX_DEFAULT;
  const pool = { pool: name.replace(/^parley-/, ''), max, use: () => database.poolUse() };
  const options = {
    url: settings.DATABASE_URL,
    schema: settings.DATABASE_SCHEMA ?? null,
    applicationName: name,
    poolMax: max,
    statementTimeoutMs: settings.DB_STATEMENT_TIMEOUT_MS ?? STATEMENT_TIMEOUT_MS_DEFAULT,
    slowMs: settings.DB_SLOW_STATEMENT_MS ?? SLOW_STATEMENT_MS_DEFAULT,
    warn: (message: string) => log?.warn(message),
  };
  const database = new Database(options, metrics ? measurePool(metrics, pool) : UNMEASURED);
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= database[Symbol.asyncDispose]());
  return {
    name: 'store',
    archive: archive(database),
    directory: directory(database),
    admin: adminStore(database),
    ledger: epochLedger(database),
    headers: headerSource(database),
    drain: drainStore(database),
    seen: seenStore(database),
    attachments: attachments(database),
    graves: attachmentGraves(database),
    push: pushSubscriptions(database),
    offline: offlineStore(database),
    housekeeping: housekeeping(database),
    check: async () => {
      await database.query(CHECK);
    },
    poolUse: () => database.poolUse(),
    run: () => undefined,
    stop: close,
    [Symbol.asyncDispose]: close,
  };
}
