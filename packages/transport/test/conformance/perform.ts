import { vi } from 'vitest';
import type { Adapter } from './adapters.ts';
import { type Comparable, comparable } from './comparable.ts';
import { record, type Scene } from './player.ts';

/** Counts what is printed on the process's own account: errors of the handling of errors must not be silent. */
function watchPrinted(): { readonly count: number } & Disposable {
  let count = 0;
  const seen = () => {
    count++;
  };
  const spies = [
    vi.spyOn(console, 'error').mockImplementation(seen),
    vi.spyOn(process, 'emitWarning').mockImplementation(seen),
  ];
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]() {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

/** All that an adapter makes of a scene. */
export async function perform(adapter: Adapter, scene: Scene): Promise<Comparable & { readonly printed: number }> {
  using printed = watchPrinted();
  const recording = await record(adapter, scene);
  return { ...comparable(recording), printed: printed.count };
}
