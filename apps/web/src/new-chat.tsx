import { useChat, useMe } from '@parley/client/react';
import { NAME_MAX_CHARS } from '@parley/protocol';
import { type FormEvent, useState } from 'react';
import { userIdOf } from './session.ts';

type State = { readonly type: 'closed' | 'open' | 'busy' } | { readonly type: 'failed'; readonly problem: string };

/** One name makes a direct chat, several make a group; a public channel needs a name of its own and nobody else. */
export function NewChat({ onOpen }: { onOpen: (channelId: string) => void }) {
  const client = useChat();
  const me = useMe();
  const [state, setState] = useState<State>({ type: 'closed' });

  const start = async (people: string, title: string, isPublic: boolean) => {
    const names = [...new Set(people.split(',').map((name) => name.trim()))].filter(Boolean);
    const ids = await Promise.all(names.map(userIdOf));
    const memberIds = [...new Set(ids)].filter((id) => id !== me?.id);
    if (isPublic && !title) throw new Error('A public channel needs a name.');
    if (memberIds.length === 0 && !isPublic) throw new Error('Name somebody else.');
    const isDirect = memberIds.length === 1 && !title;
    const kind = isPublic ? ('public' as const) : ('group' as const);
    const group = { kind, memberIds, name: title || names.join(', ').slice(0, NAME_MAX_CHARS) };
    const channel = await client.createChannel(isDirect ? { kind: 'direct', memberIds } : group);
    onOpen(channel.id);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setState({ type: 'busy' });
    start(String(form.get('people')), String(form.get('title')).trim(), form.has('public')).then(
      () => setState({ type: 'closed' }),
      (error: unknown) => setState({ type: 'failed', problem: error instanceof Error ? error.message : String(error) }),
    );
  };

  if (state.type === 'closed') {
    return (
      <button type="button" className="new-chat" onClick={() => setState({ type: 'open' })} data-testid="new-chat">
        New chat
      </button>
    );
  }
  return (
    <form
      className="new-chat-form"
      onSubmit={submit}
      onKeyDown={(event) => event.key === 'Escape' && setState({ type: 'closed' })}
      aria-label="New chat"
    >
      <label htmlFor="people">With whom?</label>
      <input
        id="people"
        name="people"
        placeholder="Names, separated by commas"
        // The form opens by the user's own click on "New chat".
        // biome-ignore lint/a11y/noAutofocus: focus follows that click
        autoFocus
        autoComplete="off"
        data-testid="people"
      />
      <label htmlFor="title">
        Name of the group <span className="muted">(optional)</span>
      </label>
      <input id="title" name="title" maxLength={NAME_MAX_CHARS} autoComplete="off" data-testid="title" />
      <label className="check">
        <input type="checkbox" name="public" data-testid="public" /> Anybody may join
      </label>
      {state.type === 'failed' && (
        <p className="problem" role="alert">
          {state.problem}
        </p>
      )}
      <div className="buttons">
        <button type="button" className="quiet" onClick={() => setState({ type: 'closed' })}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={state.type === 'busy'} data-testid="create">
          Start
        </button>
      </div>
    </form>
  );
}
