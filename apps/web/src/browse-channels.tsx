import { useChat } from '@parley/client/react';
import { type Channel, SEARCH_MAX_CHARS } from '@parley/protocol';
import { useEffect, useState } from 'react';

/** Whoever types is not done yet. */
const GATHER_MS = 250;

interface BrowseChannelsProps {
  readonly joinedIds: ReadonlySet<string>;
  readonly onJoin: (channelId: string) => void;
}

/** Public channels by name, to join or to open. */
export function BrowseChannels({ joinedIds, onJoin }: BrowseChannelsProps) {
  const client = useChat();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<readonly Channel[]>([]);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      const trimmed = query.trim();
      client.call('channel.browse', trimmed ? { query: trimmed } : {}).then(
        ({ items }) => {
          if (!isCurrent) return;
          setFound(items);
          setProblem(null);
        },
        () => isCurrent && setProblem('The channels could not be loaded.'),
      );
    }, GATHER_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client, query]);

  return (
    <section className="new-chat-form" aria-label="Public channels">
      <label htmlFor="browse">Public channels</label>
      <input
        id="browse"
        type="search"
        value={query}
        maxLength={SEARCH_MAX_CHARS}
        placeholder="Part of a name"
        autoComplete="off"
        onChange={(event) => setQuery(event.target.value)}
        data-testid="browse-query"
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ul>
        {found.map(({ id, name, memberCount }) => (
          <li key={id} className="found-channel" data-testid="found-channel">
            <span className="found-name">
              {name} <span className="muted">{memberCount}</span>
            </span>
            <button type="button" className="quiet" onClick={() => onJoin(id)} data-testid="join">
              {joinedIds.has(id) ? 'Open' : 'Join'}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
