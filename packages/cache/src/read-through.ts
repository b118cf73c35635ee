import type { ClearableName, Copies, CopyName, CopyShapes, Loaded } from '@parley/domain';
import { type Clock, type Metrics, type Service, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { CACHE_NAMES, CACHES, isClearable } from './cache-table.ts';
import { decodeCopy, encodeCopy } from './copy-codec.ts';
import { type CopyKeys, CopyStore } from './copy-store.ts';
import { Doubts } from './doubts.ts';
import { Flights } from './flights.ts';
import type { Keys } from './keys.ts';

interface ReadThroughOptions {
  /** Of kind `cache`. */
  readonly redis: Redis;
  readonly keys: Keys;
  /** Caches that are turned off: their source is always asked. What changes is forgotten all the same: others may use them. */
  readonly off?: ReadonlySet<string>;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
}

type Outcome = 'hit' | 'miss' | 'error';

type Load<K extends CopyName> = (missing: readonly string[]) => Promise<ReadonlyMap<string, Loaded<CopyShapes[K]>>>;

interface Found<T> {
  readonly value: T;
  readonly endsAt: number;
}

/** One key on its way through: what was found for it, or what a refill must still find when it is done. */
interface Asked<T> {
  readonly key: string;
  readonly keys: CopyKeys;
  found: Found<T> | null;
  /** Null: no generation guards it. Undefined: it must not be kept. */
  since: string | null | undefined;
  /** The generation of the whole cache when the reading began. */
  era: string | null;
}

/** The caches that the settings turn off. */
export function cachesOff(settings: { readonly CACHE_ENABLED: boolean; readonly CACHE_OFF: readonly string[] }) {
  return new Set(settings.CACHE_ENABLED ? settings.CACHE_OFF : CACHE_NAMES);
}

/** Copies in the cache store, read through to their source. */
export class ReadThrough implements Copies, Service {
  readonly name = 'copies';
  readonly #store: CopyStore;
  readonly #keys: Keys;
  readonly #off: ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #doubts: Doubts;
  readonly #count: (name: CopyName, outcome: Outcome, by: number) => void;
  readonly #flights = new Flights<Loaded<unknown>>();

  constructor({ redis, keys, off = new Set(), metrics, clock = systemClock }: ReadThroughOptions) {
    this.#store = new CopyStore(redis);
    this.#keys = keys;
    this.#off = off;
    this.#clock = clock;
    this.#doubts = new Doubts((doubted) => this.#store.forget(doubted), clock);
    const requests = metrics?.counter('cache_requests_total', 'Copies that were asked for', ['cache', 'outcome']);
    this.#count = (cache, outcome, by) => requests?.inc({ cache, outcome }, by);
  }

  run(): void {}

  async stop(): Promise<void> {
    this.#doubts.stop();
  }

  async one<K extends CopyName>(
    name: K,
    key: string,
    load: () => Promise<Loaded<CopyShapes[K]>>,
  ): Promise<CopyShapes[K]> {
    const values = await this.many(name, [key], async () => new Map([[key, await load()]]));
    return values.get(key) as CopyShapes[K];
  }

  async many<K extends CopyName>(name: K, keys: readonly string[], load: Load<K>): Promise<Map<string, CopyShapes[K]>> {
    const wanted = [...new Set(keys)];
    if (wanted.length === 0) return new Map();
    if (this.#off.has(name)) return valuesOf(await load(wanted));
    const asked = await this.#read(name, wanted);
    this.#renew(name, asked, load);
    const missing = asked.filter(({ found }) => !found);
    const loaded = missing.length > 0 ? await this.#fill(name, missing, load) : new Map<string, CopyShapes[K]>();
    for (const { key, found } of asked) if (found) loaded.set(key, found.value);
    return loaded;
  }

  async keep<K extends Exclude<CopyName, ClearableName>>(
    name: K,
    values: ReadonlyMap<string, CopyShapes[K]>,
  ): Promise<void> {
    if (values.size === 0 || this.#off.has(name)) return;
    // Nobody asked for a copy, but somebody had to read.
    this.#count(name, 'miss', values.size);
    const asked = [...values.keys()].map((key) => this.#asked<CopyShapes[K]>(name, key, null));
    await this.#keep(name, asked, new Map([...values].map(([key, value]) => [key, { value, keep: true }])));
  }

  async clear(name: ClearableName): Promise<void> {
    await this.#doubts.add([this.#keys.everyCopy(name)]);
  }

  async changed(name: CopyName, keys: readonly string[]): Promise<void> {
    await this.#doubts.add([...new Set(keys)].map((key) => this.#keys.copy(name, key)));
  }

  #asked<T>(name: CopyName, key: string, since: string | null | undefined): Asked<T> {
    return { key, keys: this.#keys.copy(name, key), found: null, since, era: null };
  }

  /** What there is of these. While the store is away there is nothing, and nothing is kept. */
  async #read<K extends CopyName>(name: K, wanted: readonly string[]): Promise<Asked<CopyShapes[K]>[]> {
    const asked = wanted.map((key) => this.#asked<CopyShapes[K]>(name, key, undefined));
    try {
      const every = isClearable(name) ? this.#keys.everyCopy(name) : null;
      const { copies, era } = await this.#store.get(
        asked.map(({ keys }) => keys),
        every,
      );
      const doubted = every !== null && this.#doubts.has(every);
      for (const [i, one] of asked.entries()) {
        one.era = era;
        one.found = this.#found(name, one, doubted ? null : (copies[i] ?? null));
      }
      if (doubted) return asked;
      await this.#begin(
        name,
        asked.filter((one) => !one.found && !this.#doubts.has(one.keys)),
      );
    } catch {
      // A copy that cannot be asked for must stop nobody; the count says that it happened.
      this.#count(name, 'error', asked.filter(({ found }) => !found).length);
    }
    return asked;
  }

  #found<K extends CopyName>(
    name: K,
    { keys, era }: Asked<unknown>,
    stored: Buffer | null,
  ): Found<CopyShapes[K]> | null {
    if (stored === null || this.#doubts.has(keys)) {
      this.#count(name, 'miss', 1);
      return null;
    }
    const copy = decodeCopy(stored, keys.copy);
    if (copy && copy.era !== era) {
      this.#count(name, 'miss', 1);
      return null;
    }
    const parsed = copy && CACHES[name].schema.safeParse(copy.value);
    this.#count(name, parsed?.success ? 'hit' : 'error', 1);
    return copy && parsed?.success ? { value: parsed.data as CopyShapes[K], endsAt: copy.endsAt } : null;
  }

  /** Notes what a refill of these must still find when it is done. */
  async #begin(name: CopyName, missing: readonly Asked<unknown>[]): Promise<void> {
    if (CACHES[name].validity !== 'generation') {
      for (const one of missing) one.since = null;
      return;
    }
    if (missing.length === 0) return;
    const generations = await this.#store.generations(missing.map(({ keys }) => keys));
    for (const [i, one] of missing.entries()) one.since = generations[i];
  }

  /**
   * Loads what nobody loads yet, and waits for what somebody does. Who has come after a change joins no load that began before it: the
   * generation is part of a load's name.
   */
  async #fill<K extends CopyName>(
    name: K,
    missing: readonly Asked<CopyShapes[K]>[],
    load: Load<K>,
  ): Promise<Map<string, CopyShapes[K]>> {
    const wanted = missing.map(({ key, keys, since, era }) => {
      return { key, flight: `${keys.copy}@${since}@${era}`, alone: this.#doubts.has(keys) };
    });
    const byKey = new Map(missing.map((one) => [one.key, one]));
    const loaded = await this.#flights.join(wanted, (ours) =>
      this.#load(
        name,
        ours.map((key) => byKey.get(key)).filter((one) => one !== undefined),
        load,
      ),
    );
    return new Map(loaded.map(([key, { value }]) => [key, value as CopyShapes[K]]));
  }

  async #load<K extends CopyName>(
    name: K,
    ours: readonly Asked<CopyShapes[K]>[],
    load: Load<K>,
  ): Promise<ReadonlyMap<string, Loaded<CopyShapes[K]>>> {
    const loaded = await load(ours.map(({ key }) => key));
    await this.#keep(name, ours, loaded);
    return loaded;
  }

  async #keep<K extends CopyName>(
    name: K,
    asked: readonly Asked<CopyShapes[K]>[],
    loaded: ReadonlyMap<string, Loaded<CopyShapes[K]>>,
  ): Promise<void> {
    const { ttlS, jitter } = CACHES[name];
    const kept = asked.flatMap(({ key, keys, since, era }) => {
      const one = loaded.get(key);
      if (!one?.keep || since === undefined) return [];
      const ttlMs = Math.ceil(ttlS * 1_000 * (1 - jitter * Math.random()));
      const bytes = encodeCopy({ key: keys.copy, endsAt: this.#clock.now() + ttlMs, era, value: one.value });
      return bytes ? [{ ...keys, since, bytes, ttlMs }] : [];
    });
    if (kept.length === 0) return;
    try {
      await this.#store.keep(kept);
    } catch {
      // It is read again by whoever needs it next.
      this.#count(name, 'error', kept.length);
    }
  }

  /** A copy that ends soon is read anew by one thread while everybody goes on with it: so its end is no stampede. */
  #renew<K extends CopyName>(name: K, asked: readonly Asked<CopyShapes[K]>[], load: Load<K>): void {
    const { renewAt, ttlS } = CACHES[name];
    if (renewAt === undefined) return;
    const soon = this.#clock.now() + renewAt * ttlS * 1_000;
    for (const one of asked) if (one.found && one.found.endsAt < soon) void this.#renewOne(name, one, load);
  }

  async #renewOne<K extends CopyName>(name: K, one: Asked<CopyShapes[K]>, load: Load<K>): Promise<void> {
    try {
      if (await this.#store.mayRenew(one.keys)) await this.#load(name, [{ ...one, since: null }], load);
    } catch {
      this.#count(name, 'error', 1);
    }
  }
}

function valuesOf<T>(loaded: ReadonlyMap<string, Loaded<T>>): Map<string, T> {
  return new Map([...loaded].map(([key, { value }]) => [key, value]));
}
