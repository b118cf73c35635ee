import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Adapter, STOCK } from './adapters.ts';
import { CALL_SCENES } from './calls.scenes.ts';
import { holdClock } from './clock.ts';
import { CONTEXT_SCENES } from './contexts.scenes.ts';
import { FEED_SCENES } from './feeds.scenes.ts';
import { FRAME_SCENES } from './frames.scenes.ts';
import { CLOCK_SCENES, OPTION_SCENES } from './options.scenes.ts';
import { perform } from './perform.ts';
import { PLANTED } from './planted.ts';
import type { Scene } from './player.ts';

/** Those that nobody needs to look at twice: one variant of the router is enough here. */
const SCENES: readonly Scene[] = [FRAME_SCENES, OPTION_SCENES, CALL_SCENES, CONTEXT_SCENES, FEED_SCENES]
  .flat()
  .filter(({ router = 'plain' }) => router === 'plain');

async function differs(adapter: Adapter, scene: Scene): Promise<boolean> {
  const stock = await perform(STOCK, scene);
  return !isDeepStrictEqual(await perform(adapter, scene), stock);
}

/** The first scene in which an adapter is not like the stock one. */
async function firstDifference(adapter: Adapter): Promise<string | undefined> {
  {
    using _ = holdClock();
    for (const scene of CLOCK_SCENES.slice(0, 3)) if (await differs(adapter, scene)) return scene.name;
  }
  for (const scene of SCENES) if (await differs(adapter, scene)) return scene.name;
  return undefined;
}

describe('control: an adapter that is not quite the same is seen', () => {
  it.each(PLANTED.map((adapter) => [adapter.name, adapter] as const))('one that %s', async (_name, adapter) => {
    expect(await firstDifference(adapter)).toBeTypeOf('string');
  });
});
