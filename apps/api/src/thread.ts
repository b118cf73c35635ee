import { workerData } from 'node:worker_threads';
import { createLog, createMetrics, joinSupervisor } from '@parley/runtime';
import { composeThread } from './compose.ts';
import type { ComposeOptions } from './compose-stores.ts';

/** What the main thread gives to each thread; the supervisor adds the slot. */
export type ThreadData = Pick<ComposeOptions, 'settings' | 'listen' | 'threads'> & {
  readonly connections: SharedArrayBuffer;
};

const { slot, connections, ...given } = workerData as ThreadData & { readonly slot: number };
const log = createLog({ name: `api-${slot}`, level: given.settings.LOG_LEVEL });
const metrics = createMetrics({ prefix: 'parley_', defaults: { thread: String(slot) } });
const thread = composeThread({ ...given, shared: { connections, slot }, log, metrics });
const membership = joinSupervisor({
  metrics,
  onDrain: () => thread.drain(),
  onCommand: () => thread.standing(),
});
await thread.run();
membership.ready();
