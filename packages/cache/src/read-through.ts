import type { Copies, CopyName, CopyShapes, Loaded } from '@parley/domain';
import { type Clock, type Metrics, type Service, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { CACHE_NAMES, CACHES } from './cache-table.ts';
import { decodeCopy, encodeCopy } from './copy-codec.ts';
import { type CopyKeys, CopyStore } from './copy-store.ts';
import { Doubts } from './doubts.ts';
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
  readonly #flights = new Map<string, Promise<Loaded<unknown> | undefined>>();
  /** Until when no copy of a cache is believed, and none is made. */
  readonly #blindUntil = new Map<CopyName, number>();

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
    if (this.#isOff(name)) return valuesOf(await load(wanted));
    const asked = await this.#read(name, wanted);
    this.#renew(name, asked, load);
    const missing = asked.filter(({ found }) => !found);
    const loaded = missing.length > 0 ? await this.#fill(name, missing, load) : new Map<string, CopyShapes[K]>();
    for (const { key, found } of asked) if (found) loaded.set(key, found.value);
    return loaded;
  }

  async keep<K extends CopyName>(name: K, values: ReadonlyMap<string, CopyShapes[K]>): Promise<void> {
    if (values.size === 0 || this.#isOff(name)) return;
    // Nobody asked for a copy, but somebody had to read.
    this.#count(name, 'miss', values.size);
    const asked = [...values.keys()].map((key) => this.#asked<CopyShapes[K]>(name, key, null));
    await this.#keep(name, asked, new Map([...values].map(([key, value]) => [key, { value, keep: true }])));
  }

  async changed(name: CopyName, keys: readonly string[]): Promise<void> {
    await this.#doubts.add([...new Set(keys)].map((key) => this.#keys.copy(name, key)));
  }

  async emptied(names: readonly CopyName[]): Promise<void> {
    // What a reader of before is about to keep has ended by then, and so has what cannot be removed now.
    for (const name of names) this.#blindUntil.set(name, this.#clock.now() + CACHES[name].ttlS * 1_000);
    await Promise.all(names.map((name) => this.#store.clear(this.#keys.copies(name)))).catch(() => undefined);
  }

  #isOff(name: CopyName): boolean {
    return this.#off.has(name) || this.#clock.now() < (this.#blindUntil.get(name) ?? 0);
  }

  #asked<T>(name: CopyName, key: string, since: string | null | undefined): Asked<T> {
    return { key, keys: this.#keys.copy(name, key), found: null, since };
  }

  /** What there is of these. While the store is away there is nothing, and nothing is kept. */
  async #read<K extends CopyName>(name: K, wanted: readonly string[]): Promise<Asked<CopyShapes[K]>[]> {
    const asked = wanted.map((key) => this.#asked<CopyShapes[K]>(name, key, undefined));
    try {
      const stored = await this.#store.get(asked.map(({ keys }) => keys));
      for (const [i, one] of asked.entries()) one.found = this.#found(name, one, stored[i] ?? null);
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

  #found<K extends CopyName>(name: K, { keys }: Asked<unknown>, stored: Buffer | null): Found<CopyShapes[K]> | null {
    if (stored === null || this.#doubts.has(keys)) {
      this.#count(name, 'miss', 1);
      return null;
    }
    const copy = decodeCopy(stored, keys.copy);
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
    const nameOf = ({ keys, since }: Asked<unknown>) => `${keys.copy}@${since}`;
    const ours = missing.filter((one) => !this.#flights.has(nameOf(one)) || this.#doubts.has(one.keys));
    const loading = ours.length > 0 ? this.#load(name, ours, load) : Promise.resolve(new Map());
    for (const one of ours) {
      const flight = loading.then((loaded) => loaded.get(one.key));
      this.#flights.set(nameOf(one), flight);
      const land = () => this.#flights.get(nameOf(one)) === flight && this.#flights.delete(nameOf(one));
      flight.then(land, land);
    }
    const mine = new Set(ours);
    const joined = missing
      .filter((one) => !mine.has(one))
      .map(async (one) => {
        const loaded = await this.#flights.get(nameOf(one));
        return [one.key, loaded] as const;
      });
    const [loaded, shared] = await Promise.all([loading, Promise.all(joined)]);
    return new Map(
      [...loaded, ...shared].flatMap(([key, loaded]) => (loaded ? [[key, loaded.value as CopyShapes[K]]] : [])),
    );
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
    const kept = asked.flatMap(({ key, keys, since }) => {
      const one = loaded.get(key);
      if (!one?.keep || since === undefined || this.#isOff(name)) return [];
      const ttlMs = Math.ceil(ttlS * 1_000 * (1 - jitter * Math.random()));
      const bytes = encodeCopy({ key: keys.copy, endsAt: this.#clock.now() + ttlMs, value: one.value });
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
