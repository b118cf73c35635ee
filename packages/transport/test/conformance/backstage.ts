/** What somebody who listens to a source is told. */
export interface Listener {
  next(value: unknown): void;
  error(cause: unknown): void;
  complete(): void;
}

/** A feed's origin that a scene speaks through. */
export class Source {
  readonly #listeners = new Set<Listener>();

  get listeners(): number {
    return this.#listeners.size;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  next(value: unknown): void {
    for (const listener of [...this.#listeners]) listener.next(value);
  }

  error(cause: unknown): void {
    for (const listener of [...this.#listeners]) listener.error(cause);
  }

  complete(): void {
    for (const listener of [...this.#listeners]) listener.complete();
  }

  /** What is said from now on, in order. Ends with the source, with the signal or with the consumer. */
  async *values(signal: AbortSignal | undefined): AsyncGenerator<unknown, void> {
    const queue: (() => unknown)[] = [];
    let wake = Promise.withResolvers<void>();
    let done = false;
    const put = (take: () => unknown) => {
      queue.push(take);
      wake.resolve();
    };
    const end = () => {
      done = true;
      wake.resolve();
    };
    const release = this.listen({
      next: (value) => put(() => value),
      error: (cause) =>
        put(() => {
          throw cause;
        }),
      complete: end,
    });
    signal?.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const take = queue.shift();
        if (take) yield take();
        else if (done) return;
        else {
          await wake.promise;
          wake = Promise.withResolvers<void>();
          if (done) wake.resolve();
        }
      }
    } finally {
      release();
      signal?.removeEventListener('abort', end);
    }
  }
}

/** What a router's procedures wait for and write down while a scene is played. */
export class Backstage {
  readonly #notes = new Map<string, unknown[]>();
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly #sources = new Map<string, Source>();
  /** Closes the socket of the first client, from within a procedure. */
  onHangUp = (): void => undefined;
  /** Those of all calls and feeds so far. */
  readonly signals: WeakRef<AbortSignal>[] = [];
  #activity = 0;
  #lives = 0;

  /** Grows with everything that happens. */
  get activity(): number {
    return this.#activity;
  }

  /** Procedures that began and did not end. */
  get lives(): number {
    return this.#lives;
  }

  get notes(): Record<string, unknown[]> {
    return Object.fromEntries([...this.#notes].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  note(label: string, value: unknown): void {
    this.#activity++;
    const notes = this.#notes.get(label) ?? [];
    this.#notes.set(label, notes);
    notes.push(value);
  }

  /** Resolves once the scene opens the gate. */
  gate(name: string): Promise<void> {
    return this.#gateOf(name).promise;
  }

  open(name: string): void {
    this.#gateOf(name).resolve();
  }

  source(name: string): Source {
    const source = this.#sources.get(name) ?? new Source();
    this.#sources.set(name, source);
    return source;
  }

  /** Notes that a procedure began, that its signal fired and, when the answer is called, that it ended. */
  life(name: string, signal: AbortSignal | undefined): () => void {
    this.#lives++;
    if (signal) this.signals.push(new WeakRef(signal));
    this.note(name, signal ? `begins${signal.aborted ? ' aborted' : ''}` : 'begins without a signal');
    signal?.addEventListener('abort', () => this.note(name, 'signal'), { once: true });
    return () => {
      this.#lives--;
      this.note(name, signal?.aborted ? 'ends aborted' : 'ends');
    };
  }

  #gateOf(name: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(name) ?? Promise.withResolvers<void>();
    this.#gates.set(name, gate);
    return gate;
  }
}
