/** What one socket has still to send. */
export interface Outgoing {
  /** Bytes that the peer has not taken yet. */
  readonly waitingBytes: number;
  /** Hands over to the system what was written in this turn. */
  flush(): void;
  /** Lets go of a peer that takes too little. */
  cutOff(): void;
}

/** Who counts what was sent: once a turn. */
export interface OutletCounts {
  sent(frames: number, bytes: number): void;
}

/** Frames that go out together: the first, and those behind it; each with the head that makes a frame of it, if it is a publication. */
export interface Run {
  readonly first: object;
  readonly firstHead: object | null;
  readonly others: readonly (object | null)[];
}

function isSame(one: Run, other: Run): boolean {
  if (one.first !== other.first || one.firstHead !== other.firstHead) return false;
  if (one.others.length !== other.others.length) return false;
  for (let i = 0; i < one.others.length; i++) if (one.others[i] !== other.others[i]) return false;
  return true;
}

const NOBODY_COUNTS: OutletCounts = { sent: () => undefined };
const LOOK_EVERY_MS = 25;
/** As much as one reader may leave waiting: more in one piece is rare, and gets a sheet of its own. */
const SHEET_BYTES = 65_536;

/**
 * All that the sockets of a thread have still to send. What is written within one turn of the event loop goes out when the turn is over,
 * each socket's in one piece. What its peers leave waiting is bounded for all of them together: above the bound those are cut off who
 * leave the most.
 */
export class Outlet {
  readonly #maxWaitingBytes: number;
  readonly #count: OutletCounts;
  #frames = 0;
  #bytes = 0;
  readonly #waiting = new Set<Outgoing>();
  #due: Outgoing[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sheet = Buffer.allocUnsafeSlow(SHEET_BYTES);
  /** The beginning of the sheet that was written last: frames of one publication are mostly as long as each other. */
  #beginning: Buffer = this.#sheet;
  /** What stands on the beginning of the sheet; null when that is not known. */
  #run: Run | null = null;
  readonly #endTurn = () => {
    const due = this.#due;
    this.#due = [];
    for (const each of due) {
      each.flush();
      if (each.waitingBytes > 0) this.#wait(each);
    }
    this.#count.sent(this.#frames, this.#bytes);
    this.#frames = 0;
    this.#bytes = 0;
  };

  constructor({ maxWaitingBytes, count = NOBODY_COUNTS }: { maxWaitingBytes: number; count?: OutletCounts }) {
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#count = count;
  }

  /** Somebody has written this. */
  sent(frames: number, bytes: number): void {
    this.#frames += frames;
    this.#bytes += bytes;
  }

  /**
   * Room to put together what is written to one socket. It is the same each time, for the system has mostly taken everything when the
   * write is over; who finds that it has not must say so (`keepSheet`).
   */
  sheet(bytes: number): Buffer {
    return bytes <= SHEET_BYTES ? this.#sheet : Buffer.allocUnsafeSlow(bytes);
  }

  /** A run was put together: so many bytes of a sheet. */
  written(run: Run, sheet: Buffer, bytes: number): Buffer {
    this.#run = null;
    if (sheet !== this.#sheet) return sheet.subarray(0, bytes);
    this.#run = run;
    if (this.#beginning.length !== bytes || this.#beginning.buffer !== sheet.buffer) {
      this.#beginning = sheet.subarray(0, bytes);
    }
    return this.#beginning;
  }

  /** What was written last, if this is the same run: the readers of a channel mostly get the same, and under the same id. */
  again(run: Run): Buffer | null {
    return this.#run !== null && isSame(run, this.#run) ? this.#beginning : null;
  }

  /** The sheet is still needed: nobody else gets it. */
  keepSheet(): void {
    this.#sheet = Buffer.allocUnsafeSlow(SHEET_BYTES);
    this.#run = null;
  }

  /** To be flushed when this turn is over. */
  due(outgoing: Outgoing): void {
    if (this.#due.push(outgoing) === 1) setImmediate(this.#endTurn);
  }

  /** Bytes that wait, over all sockets, and at the one where most do. */
  get waiting(): { readonly sumBytes: number; readonly maxBytes: number } {
    let sumBytes = 0;
    let maxBytes = 0;
    for (const { waitingBytes } of this.#waiting) {
      sumBytes += waitingBytes;
      maxBytes = Math.max(maxBytes, waitingBytes);
    }
    return { sumBytes, maxBytes };
  }

  #wait(outgoing: Outgoing): void {
    this.#waiting.add(outgoing);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  #look(): void {
    for (const each of this.#waiting) if (each.waitingBytes === 0) this.#waiting.delete(each);
    this.#keepWithin();
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #keepWithin(): void {
    let { sumBytes } = this.waiting;
    if (sumBytes <= this.#maxWaitingBytes) return;
    for (const each of [...this.#waiting].sort((a, b) => b.waitingBytes - a.waitingBytes)) {
      sumBytes -= each.waitingBytes;
      this.#waiting.delete(each);
      each.cutOff();
      if (sumBytes <= this.#maxWaitingBytes) return;
    }
  }
}
