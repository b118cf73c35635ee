import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BusyWindow } from '../src/hub/busy-window.ts';
import { WakeUp } from '../src/hub/wake-up.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Rings a channel in every turn for a while, and gives how often each ring found its listeners woken anew. */
async function ringing(window: BusyWindow, forMs: number) {
  const wakeUp = new WakeUp(window);
  let wakes = 0;
  wakeUp.listeners.add({ wake: () => wakes++ });
  let rings = 0;
  for (const until = performance.now() + forMs; performance.now() < until; rings++) {
    wakeUp.ring();
    await turn();
  }
  await sleep(50);
  return { rings, wakes };
}

describe('who listens to a channel is woken', () => {
  test('[FAN-113] in the same turn while the thread has time, once for all that came in it', async () => {
    const wakeUp = new WakeUp(new BusyWindow({ enabled: true, busyShare: () => 0.05 }));
    let wakes = 0;
    wakeUp.listeners.add({ wake: () => wakes++ });
    for (let i = 0; i < 10; i++) wakeUp.ring();
    await turn();
    expect(wakes).toBe(1);
    const { rings, wakes: more } = await ringing(new BusyWindow({ enabled: true, busyShare: () => 0.05 }), 200);
    expect(more).toBe(rings);
  });

  test('[FAN-113] once in a window while the thread and the channel are busy', async () => {
    const { rings, wakes } = await ringing(new BusyWindow({ enabled: true, busyShare: () => 0.9 }), 1_000);
    // The windows widen over the first 250 ms.
    expect(wakes).toBeLessThan(rings / 2);
  });

  test('[FAN-113] control: with COALESCE_ENABLED off nothing waits', async () => {
    const { rings, wakes } = await ringing(new BusyWindow({ enabled: false, busyShare: () => 0.9 }), 300);
    expect(wakes).toBe(rings);
  });

  test('[FAN-113] a quiet channel waits for nothing on the busiest thread', async () => {
    const wakeUp = new WakeUp(new BusyWindow({ enabled: true, busyShare: () => 0.9 }));
    let wakes = 0;
    wakeUp.listeners.add({ wake: () => wakes++ });
    for (let i = 0; i < 10; i++) {
      await sleep(60);
      wakeUp.ring();
      await turn();
      expect(wakes).toBe(i + 1);
    }
  });

  test('[FAN-116] what can wait travels with what cannot, and by itself if there is nothing', async () => {
    const wakeUp = new WakeUp(new BusyWindow({ enabled: true, busyShare: () => 0.05 }));
    let wakes = 0;
    wakeUp.listeners.add({ wake: () => wakes++ });
    for (let i = 0; i < 10; i++) wakeUp.ringSoon();
    await turn();
    expect(wakes).toBe(0);
    wakeUp.ring();
    await turn();
    expect(wakes).toBe(1);
    // Nothing is left of what has travelled.
    await sleep(250);
    expect(wakes).toBe(1);
    wakeUp.ringSoon();
    await expect.poll(() => wakes).toBe(2);
  });

  test('[FAN-116] nothing waits while somebody waits for it', async () => {
    const wakeUp = new WakeUp(new BusyWindow({ enabled: true, busyShare: () => 0.05 }));
    let wakes = 0;
    wakeUp.listeners.add({ wake: () => wakes++ });
    const calm = wakeUp.hurry();
    wakeUp.ringSoon();
    await turn();
    expect(wakes).toBe(1);
    calm();
    wakeUp.ringSoon();
    await turn();
    expect(wakes).toBe(1);
  });

  test('[FAN-116] control: with COALESCE_ENABLED off it does not wait', async () => {
    const wakeUp = new WakeUp(new BusyWindow({ enabled: false }));
    let wakes = 0;
    wakeUp.listeners.add({ wake: () => wakes++ });
    wakeUp.ringSoon();
    await turn();
    expect(wakes).toBe(1);
  });
});
