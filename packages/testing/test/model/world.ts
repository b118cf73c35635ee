import { createKeys } from '@parley/cache';
import { partitionOf } from '@parley/domain';
import type { Store } from '@parley/store';
import type pg from 'pg';
import { uuidOf } from '../../../../apps/api/src/ids.ts';
import { type ApiNode, type Ground, startApiNode } from './api-node.ts';
import { ChatUser } from './chat-user.ts';
import type { LogServer } from './log-servers.ts';
import { lacking, type Protection } from './protections.ts';
import { Schedule } from './schedule.ts';
import { startWorkerNode, type WorkerNode } from './worker-node.ts';

/** Real servers, kept for many runs. */
export interface Servers {
  readonly logs: readonly [LogServer, LogServer];
  readonly store: Store;
  readonly sql: pg.Pool;
}

const APIS = 2;
const WORKERS = 2;
const USERS = 3;
const CHANNELS = 2;
export const keys = createKeys('parley');

type Copy = Awaited<ReturnType<LogServer['copy']>>;

/** One run's deployment: who is there, and which server is the log store. */
export class World {
  readonly schedule: Schedule;
  readonly servers: Servers;
  readonly users: ChatUser[] = [];
  readonly channels: string[] = [];
  readonly ground: Ground;
  apis: ApiNode[] = [];
  workers: WorkerNode[] = [];
  master: LogServer;
  /** What the other server has got of the master so far. */
  copy: Copy = new Map();
  /** How many messages and edits there were. */
  said = 0;
  readonly #made = { api: 0, worker: 0 };
  readonly #lacks: ReturnType<typeof lacking>;

  constructor(servers: Servers, options: { seed: number; without?: Protection | null }) {
    this.servers = servers;
    this.#lacks = lacking(options.without ?? null);
    this.schedule = new Schedule(options.seed);
    this.master = servers.logs[0];
    this.ground = {
      schedule: this.schedule,
      store: servers.store,
      keys,
      held: { by: null },
      partitions: () => new Set(this.channels.map(partitionOf)),
      ring: () => this.#ring(),
      tell: (userId, json) => {
        for (const api of this.apis) api.broker.hint(userId, json);
      },
    };
    for (const server of servers.logs) {
      server.rewrite = this.#lacks.script ?? ((text) => text);
      server.onHeard = (heard) => {
        for (const api of this.apis) if (api.logStore.server === server) api.broker.hear(heard);
      };
    }
  }

  /** Empty stores, people in channels, everybody connected. */
  async begin(seed: number): Promise<void> {
    const { sql, store, logs } = this.servers;
    for (const server of logs) await server.wipe();
    await sql.query(EMPTY);
    const userIds = Array.from({ length: USERS }, (_, i) => uuidOf('model user', String(seed), String(i)));
    for (const id of userIds)
      await store.archive.upsertUser({ id, name: id.slice(0, 8), avatarUrl: null, email: null, locale: null });
    const [ownerId = '', ...memberIds] = userIds;
    for (let i = 0; i < CHANNELS; i++) {
      const id = uuidOf('model channel', String(seed), String(i));
      const group = { kind: 'group', name: `channel ${i}`, encrypted: false, memberLimit: 100 } as const;
      await store.archive.createChannel({ id, ...group, ownerId, memberIds });
      this.channels.push(id);
    }
    while (this.apis.length < APIS) this.addApi();
    while (this.workers.length < WORKERS) this.addWorker();
    for (const userId of userIds) {
      const user = new ChatUser(this.schedule, userId, { believesAccepted: this.#lacks.believesAccepted ?? false });
      this.users.push(user);
      user.connect(this.schedule.pick(this.apis));
      void user.client.run();
      for (const channelId of this.channels) user.look(channelId);
    }
  }

  /** Nothing of it goes on. */
  end(): void {
    for (const { actor } of [...this.apis, ...this.workers, ...this.users]) actor.die();
    for (const server of this.servers.logs) server.onHeard = () => undefined;
  }

  get other(): LogServer {
    const [a, b] = this.servers.logs;
    return this.master === a ? b : a;
  }

  addApi(server = this.master): ApiNode {
    const { asksNobody = false, trustsAnyServer = false, takesAnyPage = false } = this.#lacks;
    const name = `api ${++this.#made.api}`;
    const node = startApiNode(this.ground, { name, server }, { asksNobody, trustsAnyServer, takesAnyPage });
    this.apis.push(node);
    return node;
  }

  addWorker(server = this.master): WorkerNode {
    const { trimsFirst = false, watchesNothing = false } = this.#lacks;
    const name = `worker ${++this.#made.worker}`;
    const node = startWorkerNode(this.ground, { name, server }, { trimsFirst, watchesNothing });
    this.workers.push(node);
    return node;
  }

  killApi(node: ApiNode): void {
    node.actor.die();
    this.apis = this.apis.filter((each) => each !== node);
    for (const user of this.users) if (user.node === node) user.disconnect();
    this.addApi();
  }

  killWorker(node: WorkerNode): void {
    node.actor.die();
    this.workers = this.workers.filter((each) => each !== node);
    this.addWorker();
  }

  get processes(): readonly (ApiNode | WorkerNode)[] {
    return [...this.apis, ...this.workers];
  }

  /** The other server becomes the log store with what it had got; each process finds out now or later, and the old one goes on meanwhile. */
  async failOver(): Promise<void> {
    const next = this.other;
    await next.takeOver(this.copy);
    this.master = next;
    this.copy = await next.copy();
    const isSplit = this.schedule.chance() < 0.4;
    for (const each of this.processes)
      if (each.logStore.server !== next && !(isSplit && this.schedule.chance() < 0.5)) each.turnTo(next);
    // What clung to the server that is the log store by now lost it for a moment.
    this.reconnect(next);
  }

  /** The log store loses all that it has, and so does whoever follows it. */
  async lose(how: () => Promise<void>): Promise<void> {
    await how();
    this.copy = new Map();
  }

  /** Everybody on this server has lost the connection and got it back. */
  reconnect(server: LogServer): void {
    for (const each of this.processes) if (each.logStore.server === server) each.turnTo(server);
  }

  #ring(): void {
    const { schedule } = this;
    if (schedule.failures > 0 && schedule.chance() < 0.2) return;
    const worker = schedule.pick(this.workers);
    void schedule.step({ actor: worker.actor, name: 'hears the doorbell', work: async () => worker.rung() });
  }
}

/** In one statement: the tables that runs write to, and partitions as they were made. */
const EMPTY = `
  truncate users, channels, messages, log_change, channel_head, channel_members, dead_letter, reactions, mentions cascade;
  update log_partition set epoch = 0, read_epoch = 0, read_k = 0, run_id = null, replication_id = null,
    pg_system = null, pg_timeline = null, opened_at = null, restored_epoch = null`;
