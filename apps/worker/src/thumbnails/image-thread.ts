import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Service } from '@parley/runtime';
import type { ImageAnswer } from './thread.ts';

// The sources run as they are; a build has the same files as JavaScript.
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
const MAKE_WITHIN_MS = 20_000;
const HEAP_MAX_MB = 256;

/** Decodes images where they can harm nobody: in a thread that is started when it is needed, and anew after it has died. */
export class ImageThread implements Service {
  readonly name = 'image thread';
  readonly #makeWithinMs: number;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ makeWithinMs = MAKE_WITHIN_MS }: { makeWithinMs?: number } = {}) {
    this.#makeWithinMs = makeWithinMs;
  }

  run(): void {}

  /** Makes a thumbnail; one at a time, in the order asked. Takes the image's memory. Rejects for what is no image, or takes too long. */
  thumbnailOf(image: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const made = this.#last.then(() => this.#make(image));
    this.#last = made.catch(() => undefined);
    return made;
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #make(image: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const worker = this.#worker ?? (await this.#start());
    const done = new AbortController();
    const timer = setTimeout(() => void worker.terminate(), this.#makeWithinMs);
    try {
      const answered = once(worker, 'message', done);
      const ended = once(worker, 'exit', done);
      worker.postMessage(image, [image.buffer]);
      const answer = await Promise.race([
        answered.then(([said]) => said as ImageAnswer),
        ended.then((): ImageAnswer => ({ error: 'the image thread ended' })),
      ]);
      if ('error' in answer) throw new Error(answer.error);
      return answer.made;
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  async #start(): Promise<Worker> {
    // Its libraries must stay loaded when a thread ends, or the next one cannot register them again.
    await import('sharp');
    const worker = new Worker(THREAD, { name: 'images', resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB } });
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on('error', forget);
    worker.on('exit', forget);
    worker.unref();
    this.#worker = worker;
    return worker;
  }
}
