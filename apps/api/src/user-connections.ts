const USERS = 2 ** 17;
const BYTES = USERS * Uint32Array.BYTES_PER_ELEMENT;

/** Where the threads of a process count their users' connections: each has a part of its own, and reads all. */
export function createConnectionTable(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * BYTES);
}

interface UserConnectionsOptions {
  readonly max: number;
  readonly table: SharedArrayBuffer;
  /** Which part of the table is this thread's. */
  readonly slot: number;
}

/**
 * Counts the live connections of each user over all threads of the process. Its own thread's count is exact. In the table users share
 * entries, so that one of many may be refused a connection too early, and none a connection too late.
 */
export class UserConnections {
  readonly #max: number;
  readonly #counts = new Map<string, number>();
  readonly #own: Uint32Array;
  readonly #others: readonly Uint32Array[];

  constructor({ max, table, slot }: UserConnectionsOptions) {
    this.#max = max;
    const parts = Array.from({ length: table.byteLength / BYTES }, (_, i) => new Uint32Array(table, i * BYTES, USERS));
    this.#own = parts[slot] ?? new Uint32Array(USERS);
    this.#others = parts.filter((part) => part !== this.#own);
    // What the thread before this one had open died with it.
    this.#own.fill(0);
  }

  /** Counts one more and gives the function that counts it off; null when the user has as many as he may. */
  enter(userId: string): (() => void) | null {
    this.#add(userId, 1);
    // Counted before the look at the others: of two threads that let the last one in at once, both would see only themselves.
    if (this.#countOf(userId) > this.#max) {
      this.#add(userId, -1);
      return null;
    }
    let inside = true;
    return () => {
      if (inside) this.#add(userId, -1);
      inside = false;
    };
  }

  #countOf(userId: string): number {
    const index = indexOf(userId);
    return this.#others.reduce((sum, part) => sum + Atomics.load(part, index), this.#counts.get(userId) ?? 0);
  }

  #add(userId: string, by: 1 | -1): void {
    Atomics.add(this.#own, indexOf(userId), by);
    const count = (this.#counts.get(userId) ?? 0) + by;
    if (count > 0) this.#counts.set(userId, count);
    else this.#counts.delete(userId);
  }
}

/** The end of a UUID is random in each of its versions. */
function indexOf(userId: string): number {
  return Number.parseInt(userId.slice(-8), 16) % USERS;
}
