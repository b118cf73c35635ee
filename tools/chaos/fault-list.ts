/** What a fault harms: two at the same time must not harm the same. */
export type Victim = 'log store' | 'cache store' | 'postgres' | 'api' | 'worker' | 'clients';

/**
 * Every fault, what it harms, and who keeps the promise under it: `server`, where nothing acknowledged may be lost though every client forgets
 * it at once; `outbox`, where what the log store had acknowledged is gone, and clients that keep what is not persisted must bring it again.
 */
export const FAULTS = {
  'api-thread': { victim: 'api', keeper: 'server' },
  'api-kill': { victim: 'api', keeper: 'server' },
  'api-freeze': { victim: 'api', keeper: 'server' },
  'worker-kill': { victim: 'worker', keeper: 'server' },
  'worker-freeze': { victim: 'worker', keeper: 'server' },
  'rolling-restart': { victim: 'api', keeper: 'server' },
  'log-kill': { victim: 'log store', keeper: 'server' },
  'log-freeze': { victim: 'log store', keeper: 'server' },
  'log-black-hole': { victim: 'log store', keeper: 'server' },
  'cache-kill': { victim: 'cache store', keeper: 'server' },
  'postgres-kill': { victim: 'postgres', keeper: 'server' },
  'postgres-freeze': { victim: 'postgres', keeper: 'server' },
  'clients-cut': { victim: 'clients', keeper: 'server' },
  'log-fail-over': { victim: 'log store', keeper: 'outbox' },
  'log-tail-cut': { victim: 'log store', keeper: 'outbox' },
} as const satisfies Record<string, { victim: Victim; keeper: 'server' | 'outbox' }>;

export type FaultName = keyof typeof FAULTS;

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
