import { nextPauseMs, pickWeighted, zipfShares } from './zipf.ts';

const WORDS = [
  'the and that have with this from they what about which when there would people release meeting today',
  'tomorrow deploy review ticket customer thanks please question answer morning lunch server database',
  'latency graph design draft budget invoice holiday train coffee keyboard window garden weather привет',
  'спасибо завтра café straße こんにちは',
].flatMap((line) => line.split(' '));
const SHARES = zipfShares(WORDS.length, 1);

/** A word, the first ones often. */
export const word = (): string => WORDS[pickWeighted(SHARES, Math.random())] ?? 'the';

/** What somebody says: mostly short. */
export function sentence(): string {
  const count = Math.min(60, 2 + Math.round(nextPauseMs(1 / 8, Math.random()) / 1_000));
  return Array.from({ length: count }, word).join(' ');
}
