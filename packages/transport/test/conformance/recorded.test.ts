import { describe, expect, it } from 'vitest';
import { OURS, STOCK } from './adapters.ts';
import { holdClock } from './clock.ts';
import { CLOCK_SCENES } from './options.scenes.ts';
import { perform } from './perform.ts';
import type { Scene } from './player.ts';
import { PUSHED_SCENES } from './pushed.scenes.ts';
import { SCENES } from './scenes.ts';

async function compare(scene: Scene): Promise<void> {
  const stock = await perform(STOCK, scene);
  expect(await perform(OURS, scene)).toEqual(stock);
  expect(stock.steps.length).toBeGreaterThan(1);
}

describe('[WIRE-20] [WIRE-21] what is said to clients, and told to the application, is what tRPC’s own adapter says and tells', () => {
  describe.each(Object.entries(SCENES))('%s', (_of, scenes) => {
    for (const scene of scenes) it(scene.name, () => compare(scene));
  });

  describe('with the clock in the hand', () => {
    for (const scene of CLOCK_SCENES) {
      it(scene.name, async () => {
        using _ = holdClock();
        await compare(scene);
      });
    }
  });

  describe('[WIRE-25] a feed that can be pushed', () => {
    for (const scene of PUSHED_SCENES) it(scene.name, () => compare(scene));
  });

  it('no two scenes have one name', () => {
    const names = [...Object.values(SCENES).flat(), ...CLOCK_SCENES, ...PUSHED_SCENES].map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});
