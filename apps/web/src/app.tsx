import { ChatProvider } from '@parley/client/react';
import { useEffect, useState } from 'react';
import { ChatPage } from './chat-page.tsx';
import { rememberedName, type Session, signIn, signOut } from './session.ts';
import { SignIn } from './sign-in.tsx';

/** Signed out or signed in: the page has these two states. */
export function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [returning, setReturning] = useState(rememberedName);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    if (returning === null) return;
    let isCurrent = true;
    signIn(returning).then(
      (signedIn) => (isCurrent ? setSession(signedIn) : signedIn.client.stop()),
      (error: unknown) => {
        if (!isCurrent) return;
        setProblem(error instanceof Error ? error.message : String(error));
        setReturning(null);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [returning]);

  if (session) {
    const leave = () => {
      setSession(null);
      setReturning(null);
      signOut(session).catch((error: unknown) => setProblem(`Signed out, but: ${String(error)}`));
    };
    return (
      <ChatProvider client={session.client}>
        <ChatPage onSignOut={leave} />
      </ChatProvider>
    );
  }
  const enter = (name: string) => {
    setProblem(null);
    setReturning(name);
  };
  return <SignIn isBusy={returning !== null} problem={problem} onName={enter} />;
}
