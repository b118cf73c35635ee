import type { OutboxEntry } from './entry.ts';

/**
 * Where unsettled operations survive a reload. A write that fails costs that survival and nothing else. Kept per user: what one user
 * wrote is never sent as another.
 */
export interface OutboxStorage {
  load(): Promise<OutboxEntry[]>;
  /** Replaces the entry of the same id. */
  put(entry: OutboxEntry): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

/** Survives nothing: for programs that have nowhere to write. */
export function memoryOutboxStorage(): OutboxStorage {
  const entries = new Map<string, OutboxEntry>();
  return {
    load: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.id, entry),
    remove: async (id) => void entries.delete(id),
    clear: async () => entries.clear(),
  };
}
