import { NAME_MAX_CHARS } from '@parley/protocol';
import { type FormEvent, useState } from 'react';

interface SignInProps {
  readonly isBusy: boolean;
  readonly problem: string | null;
  readonly onName: (name: string) => void;
}

export function SignIn({ isBusy, problem, onName }: SignInProps) {
  const [name, setName] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) onName(name.trim());
  };
  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit} aria-busy={isBusy}>
        <img className="sign-in-logo" src="/favicon.svg" alt="" width="44" height="44" />
        <h1>Parley</h1>
        <p className="muted">Chat on your own machines.</p>
        <label htmlFor="name">Your name</label>
        <input
          id="name"
          name="name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={NAME_MAX_CHARS}
          autoComplete="username"
          spellCheck={false}
          required
          data-testid="name"
        />
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button className="primary" type="submit" disabled={isBusy || !name.trim()} data-testid="sign-in">
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
        <p className="hint">No password: this is the development sign-in. The same name is the same person.</p>
      </form>
    </main>
  );
}
