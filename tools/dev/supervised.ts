import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** A life that lasted this long was a good one: the next death is the first of its row. */
const GOOD_LIFE_MS = 30_000;

/** One life of something that should always run. */
export interface Life {
  /** Resolves, with the reason in words, when it is over. */
  readonly ended: Promise<string>;
  end(): Promise<void>;
}

interface Options {
  readonly name: string;
  /** Resolves when the thing is ready. */
  readonly start: () => Promise<Life>;
  readonly say: (line: string) => void;
}

/** Keeps something running: whatever ends unasked is started again after a pause that grows with the deaths in a row. */
export class Supervised {
  readonly name: string;
  readonly #options: Options;
  readonly #stopping = new AbortController();
  #life: Life | undefined;
  #kept: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.name = options.name;
    this.#options = options;
  }

  /** Resolves when it is ready for the first time; rejects when the first start fails. */
  async run(): Promise<void> {
    const life = await this.#options.start();
    this.#life = life;
    this.#kept = this.#keep(life);
  }

  /** Ends it for good; what is being started at the moment is ended too. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life?.end();
    await this.#kept;
  }

  async #keep(first: Life): Promise<void> {
    for (let life: Life | undefined = first, deaths = 0; life; ) {
      const began = Date.now();
      const why = await life.ended;
      this.#life = undefined;
      if (this.#stopping.signal.aborted) return;
      deaths = Date.now() - began > GOOD_LIFE_MS ? 1 : deaths + 1;
      this.#options.say(`${this.name} ended (${why}): starting it again`);
      life = await this.#startAgain(deaths);
    }
  }

  async #startAgain(deaths: number): Promise<Life | undefined> {
    const { name, start, say } = this.#options;
    for (let failures = deaths; ; failures++) {
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (this.#stopping.signal.aborted) return undefined;
      try {
        const life = await start();
        if (this.#stopping.signal.aborted) {
          await life.end();
          return undefined;
        }
        this.#life = life;
        say(`${name} runs again`);
        return life;
      } catch (error) {
        say(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
