import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Adapter, OURS, STOCK } from './adapters.ts';
import { CLIENT_SCENES } from './client.scenes.ts';
import { comparable } from './comparable.ts';
import { PLANTED } from './planted.ts';
import { record, type Scene } from './player.ts';

/** What is planted, and a story in which the stock client notices it. */
const NOTICED: Record<string, string> = {
  'says no started': 'feeds that are left',
  'says no stopped': 'feeds to their ends',
  'leaves the ids of events out': 'feeds that go on after a cut',
  'hears no last event ids': 'feeds that go on after a cut',
  'hears no stops': 'feeds that are left',
  'takes batches of any size': 'a batch that is too large',
  'hands no parameters on': 'a client that says who it is, way 0',
  'says the request to come anew otherwise': 'the request to come anew',
};

/** What the stock adapter and another make of a story, at the same time: the client waits more than it works. */
async function both(adapter: Adapter, scene: Scene) {
  const [stock, other] = await Promise.all([record(STOCK, scene), record(adapter, scene)]);
  return { stock: comparable(stock), other: comparable(other) };
}

describe('[WIRE-23] the stock client is called back', () => {
  describe.concurrent('as with tRPC’s own adapter', () => {
    for (const scene of CLIENT_SCENES) {
      it(scene.name, async () => {
        const { stock, other } = await both(OURS, scene);
        expect(other).toEqual(stock);
        expect(stock.steps.some(({ heard }) => Object.keys(heard).length > 0)).toBe(true);
      });
    }
  });

  describe.concurrent('control: otherwise, by an adapter that', () => {
    it.each(Object.entries(NOTICED))('%s: %s', async (planted, name) => {
      const adapter = PLANTED.find((each) => each.name === planted);
      const scene = CLIENT_SCENES.find((each) => each.name === name);
      if (!adapter || !scene) throw new Error(`${planted}, or ${name}, is not there`);
      const { stock, other } = await both(adapter, scene);
      expect(isDeepStrictEqual(other, stock)).toBe(false);
    });
  });
});
