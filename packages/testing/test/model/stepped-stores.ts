import { createConnection, LogStore } from '@parley/cache';
import { type EpochLedger, type EpochLock, Failure } from '@parley/domain';
import { createLog } from '@parley/runtime';
import type { LogServer } from './log-servers.ts';
import type { Actor, Schedule } from './schedule.ts';

type Redis = LogStore['redis'];

const silent = createLog({ name: 'model', level: 'silent' });

/** Whose stores these are, and who decides when they are asked. */
export interface Seat {
  readonly schedule: Schedule;
  readonly actor: Actor;
}

/** What a caller is told by `LogStore` when its connection fails. */
const lostWrite = (wasSent: boolean) =>
  wasSent ? new Failure('UNKNOWN_RETRY', 'no answer', { retryAfterMs: 100 }) : away('the message log');
const lostRead = () => away('the message log');

function away(what: string): Failure {
  return new Failure('UNAVAILABLE', `${what} is away`, { retryAfterMs: 1_000 });
}

/** The log store of one process: each round trip is a step, on whichever server the process is turned to. */
export class SteppedLogStore extends LogStore {
  readonly #seat: Seat;
  #server: LogServer;
  #connections = 1;

  constructor(seat: Seat, server: LogServer) {
    // Never connected: it tells those who wait for a new connection.
    super({ redis: createConnection({ url: 'redis://127.0.0.1', kind: 'log', timeoutMs: 1, log: silent }) });
    this.#seat = seat;
    this.#server = server;
  }

  get server(): LogServer {
    return this.#server;
  }

  /** From now on it is another server, or the same one after it was away. */
  turnTo(server: LogServer): void {
    this.#server = server;
    this.#connections++;
    this.redis.emit('ready');
  }

  override evalsha(...call: Parameters<LogStore['evalsha']>): Promise<unknown> {
    return this.#step('a script', lostWrite, (store) => store.evalsha(...call));
  }

  override eval(...call: Parameters<LogStore['eval']>): Promise<unknown> {
    return this.#step('a plain script', lostWrite, (store) => store.eval(...call));
  }

  override read<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return this.#step('reads the log store', lostRead, (store) => store.read(work));
  }

  override write<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return this.#step('writes to the log store', lostWrite, (store) => store.write(work));
  }

  #step<T>(name: string, whenLost: (wasSent: boolean) => Failure, work: (store: LogStore) => Promise<T>): Promise<T> {
    const { schedule, actor } = this.#seat;
    const connection = this.#connections;
    const done = async () => {
      // What was asked of a connection that is lost was not done by the next one.
      if (connection !== this.#connections) throw whenLost(false);
      const server = this.#server;
      try {
        return await work(server.store);
      } finally {
        await server.heardAll();
      }
    };
    return schedule.step({ actor, name: `${name} (${this.#server.name})`, work: done, whenLost });
  }
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** A port to Postgres, each of whose calls is a step. */
export function stepped<T extends object>({ schedule, actor }: Seat, port: T): T {
  const whenLost = () => away('Postgres');
  const methods = Object.entries(port).map(([name, method]: [string, unknown]) => [
    name,
    (...args: unknown[]) =>
      schedule.step({ actor, name: `Postgres: ${name}`, work: () => (method as Method)(...args), whenLost }),
  ]);
  return Object.fromEntries(methods) as T;
}

/** Whether anybody holds the lock of a Postgres: to wait for it there would stop the world. */
export interface Held {
  by: Actor | null;
}

/** The real ledger. To take the lock is a step, each thing that is done under it is one, and so is to give it back. */
export function steppedLedger({ schedule, actor }: Seat, ledger: EpochLedger, held: Held): EpochLedger {
  return {
    locked: async (work) => {
      const isReady = () => held.by === null;
      const begun = await schedule.step({ actor, name: 'takes the epoch lock', isReady, work: () => begin() });
      return begun.outcome;

      async function begin() {
        held.by = actor;
        const entered = Promise.withResolvers<void>();
        const died = Promise.withResolvers<never>();
        died.promise.catch(() => undefined);
        actor.onDeath(() => died.reject(new Error('died')));
        const outcome = ledger.locked((lock) => {
          entered.resolve();
          return Promise.race([work(underLock(lock)), died.promise]).finally(() => {
            // What follows is the end of the transaction, on the real server.
            void schedule.outside(ended.promise);
          });
        });
        const ended = Promise.withResolvers<void>();
        const end = () => {
          held.by = null;
          ended.resolve();
        };
        outcome.then(end, end);
        await Promise.race([entered.promise, outcome.catch(() => undefined)]);
        return { outcome };
      }
    },
  };

  function underLock(lock: EpochLock): EpochLock {
    return {
      cursors: lock.cursors,
      openedOn: lock.openedOn,
      restored: lock.restored,
      open: (server, options) =>
        schedule.step({
          actor,
          name: 'opens an epoch',
          work: () => lock.open(server, options),
          whenLost: () => away('Postgres'),
        }),
    };
  }
}
