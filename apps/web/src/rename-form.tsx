import { NAME_MAX_CHARS } from '@parley/protocol';
import { type FormEvent, useState } from 'react';

/** Gives a channel another name. Shown when the server has it. */
export function RenameForm({ name: before, onName }: { name: string; onName: (name: string) => void }) {
  const [name, setName] = useState(before);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() && name.trim() !== before) onName(name.trim());
  };
  return (
    <form className="rename" onSubmit={submit}>
      <label htmlFor="rename">Name</label>
      <input
        id="rename"
        value={name}
        maxLength={NAME_MAX_CHARS}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
        data-testid="rename"
      />
      <button type="submit" className="quiet" disabled={!name.trim() || name.trim() === before} data-testid="save-name">
        Rename
      </button>
    </form>
  );
}
