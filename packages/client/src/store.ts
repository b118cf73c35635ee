/** A value that is watched. Made for `useSyncExternalStore`: the snapshot is the same object until something changed. */
export interface Store<T> {
  getSnapshot(): T;
  /** Calls `listener` after every change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** A store and the right to change it. */
export interface WritableStore<T> extends Store<T> {
  /** Replaces the value and tells the listeners, unless it is the same value. */
  set(value: T): void;
}

export function createStore<T>(initial: T): WritableStore<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    getSnapshot: () => value,
    subscribe(listener) {
      // A listener of its own, so that the same function may watch twice.
      const own = () => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
  };
}
