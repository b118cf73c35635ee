import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Adapter, OURS, STOCK } from './adapters.ts';
import { type Comparable, comparable } from './comparable.ts';
import { PLANTED } from './planted.ts';
import { record } from './player.ts';
import { SCENES } from './scenes.ts';

/** What was recorded, by the name of its file. */
const RECORDED: Record<string, string> = {
  calls: 'a query, a mutation, a nested one, a lazy one',
  batches: 'batches',
  errors: 'errors of every kind, plain',
  transformer: 'what has words of its own in the transformer',
  feeds: 'feeds that end by themselves',
  failures: 'feeds that fail in every way, plain',
  resume: 'going on after the last event',
  stops: 'stops right after the start, and ids used anew at once',
  ids: 'one id twice',
  shapes: 'frames of wrong shapes',
  pings: 'the client’s pings',
  reconnect: 'the request to come anew',
  parameters: 'params late, and twice',
  refused: 'a context that fails after the calls, plain',
};

function transcript({ steps }: Comparable): string {
  const lines = steps.flatMap(({ step, heard }) => [
    `> ${step}`,
    ...Object.keys(heard)
      .sort()
      .flatMap((from) => (heard[from] ?? []).map((text) => `  ${from} < ${text}`)),
  ]);
  return `${lines.join('\n')}\n`;
}

async function play(adapter: Adapter, name: string): Promise<string> {
  const scene = Object.values(SCENES)
    .flat()
    .find((each) => each.name === name);
  if (!scene) throw new Error(`there is no scene ${name}`);
  return transcript(comparable(await record(adapter, scene)));
}

/** An upgrade of tRPC that changes a word is seen here, and is to be decided about: pages that are open now know the old one. */
const recording = (file: string) => join(import.meta.dirname, 'recordings', `${file}.txt`);

describe('[WIRE-26] recorded exchanges', () => {
  describe.each([STOCK, OURS])('are what they were: $name', (adapter) => {
    it.each(Object.entries(RECORDED))('%s', async (file, name) => {
      await expect(await play(adapter, name)).toMatchFileSnapshot(recording(file));
    });
  });

  it('control: another word is seen', async () => {
    const planted = PLANTED.find(({ name }) => name === 'says stopped as complete') ?? STOCK;
    const recorded = await readFile(recording('feeds'), 'utf8');
    expect(await play(planted, 'feeds that end by themselves')).not.toBe(recorded);
  });
});
