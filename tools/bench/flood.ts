import { randomUUID } from 'node:crypto';
import type { Parley } from './parley.ts';

interface FloodOptions {
  readonly userId: string;
  /** Number of the api that it is sent to. */
  readonly at: number;
  readonly channelId: string;
  readonly perSecond: number;
}

/** As many bytes as a text may have, each of which takes two on the wire. */
const BODY = '"'.repeat(2_048);
const TICK_MS = 10;
/** More than this under way at once means that the servers are behind: then it waits for them. */
const IN_FLIGHT_MAX = 64;

/** Long texts, sent to one channel at a steady pace from when it is made until it is disposed of. */
export class Flood implements AsyncDisposable {
  readonly #parley: Parley;
  readonly #options: FloodOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();
  readonly #began = performance.now();
  #sent = 0;
  /** Sends that were answered, and the first thing that went wrong with one. */
  accepted = 0;
  failure: Error | undefined;

  constructor(parley: Parley, options: FloodOptions) {
    this.#parley = parley;
    this.#options = options;
    this.#timer = setInterval(() => this.#catchUp(), TICK_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  #catchUp(): void {
    const due = ((performance.now() - this.#began) * this.#options.perSecond) / 1_000;
    for (; this.#sent < due; this.#sent++) {
      if (this.#underWay.size >= IN_FLIGHT_MAX) continue;
      const sending: Promise<void> = this.#send().finally(() => this.#underWay.delete(sending));
      this.#underWay.add(sending);
    }
  }

  async #send(): Promise<void> {
    const { userId, at, channelId } = this.#options;
    try {
      const input = { channelId, clientMsgId: randomUUID(), body: BODY };
      await this.#parley.call({ userId, at }, 'message.send', input);
      this.accepted++;
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }
}
