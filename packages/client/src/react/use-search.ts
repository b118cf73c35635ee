import type { FailureData, FoundMessage, Input } from '@parley/protocol';
import { SEARCH_MIN_CHARS } from '@parley/protocol';
import { useCallback, useEffect, useRef, useState } from 'react';
import { failureOf } from '../failure.ts';
import { useChat } from './chat-context.ts';

/** Whoever types is not done yet. */
const GATHER_MS = 300;

/** What was found so far. `failed`: the server could not be asked, or refused. */
export interface SearchSnapshot {
  readonly state: 'idle' | 'searching' | 'ready' | 'failed';
  readonly failure: FailureData | null;
  readonly items: readonly FoundMessage[];
  readonly hasMore: boolean;
}

const IDLE: SearchSnapshot = { state: 'idle', failure: null, items: [], hasMore: false };

/** Searches the user's channels, or one of them, shortly after the query has changed. Too short a query finds nothing. */
export function useSearch(query: string, channelId: string | null = null): SearchSnapshot & { loadMore(): void } {
  const client = useChat();
  const [snapshot, setSnapshot] = useState(IDLE);
  const next = useRef<{ ask: (cursor: string) => void; cursor: string | null } | null>(null);
  useEffect(() => {
    next.current = null;
    setSnapshot(IDLE);
    if ([...query].length < SEARCH_MIN_CHARS) return;
    let isOver = false;
    const ask = async (cursor: string | null) => {
      setSnapshot((before) => ({ ...before, state: 'searching' }));
      const input: Input<'message.search'> = { query, ...(channelId && { channelId }), ...(cursor && { cursor }) };
      try {
        const { items, nextCursor } = await client.call('message.search', input);
        if (isOver) return;
        next.current = { ask, cursor: nextCursor };
        const hasMore = nextCursor !== null;
        setSnapshot((before) => ({ state: 'ready', failure: null, items: [...before.items, ...items], hasMore }));
      } catch (error) {
        if (!isOver) setSnapshot((before) => ({ ...before, state: 'failed', failure: failureOf(error) }));
      }
    };
    const timer = setTimeout(() => void ask(null), GATHER_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, query, channelId]);
  const loadMore = useCallback(() => {
    const { ask, cursor } = next.current ?? {};
    next.current = null;
    if (ask && cursor) ask(cursor);
  }, []);
  return { ...snapshot, loadMore };
}
