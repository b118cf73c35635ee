import { useSyncExternalStore } from 'react';
import type { Store } from '../store.ts';

/** What a store holds: the component is rendered again when that is another value. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}
