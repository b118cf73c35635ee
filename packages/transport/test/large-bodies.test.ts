import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants } from 'node:zlib';
import { expect, test } from 'vitest';
import { pack } from '../src/compress.ts';

const ACCEPTS = { headers: { 'accept-encoding': 'br' } };

/** Turns of the event loop while the work lasts. */
async function turnsDuring(work: () => Promise<unknown> | unknown): Promise<number> {
  let [turns, over] = [0, false];
  const count = () => {
    if (over) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  await work();
  over = true;
  return turns;
}

// Letters and digits, so that compressing takes a while.
const large = Buffer.from(randomBytes(4_000_000).toString('hex'));

test('[RUN-141] while a large body is compressed, the event loop turns', async () => {
  const turns = await turnsDuring(async () => expect((await pack(large, ACCEPTS)).encoding).toBe('br'));
  expect(turns).toBeGreaterThan(20);
});

test('[RUN-141] control: compressed in the turn itself, it does not', async () => {
  expect(
    await turnsDuring(() => brotliCompressSync(large, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })),
  ).toBeLessThanOrEqual(1);
});
