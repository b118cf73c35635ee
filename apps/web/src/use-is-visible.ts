import { useSyncExternalStore } from 'react';

/** Whether somebody can see the page: only then what it shows counts as read. */
export function useIsVisible(): boolean {
  return useSyncExternalStore(subscribe, isVisible);
}

function isVisible(): boolean {
  return document.visibilityState === 'visible';
}

function subscribe(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}
