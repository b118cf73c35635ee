import { type ChatClient, createChatClient, indexedDbOutboxStorage } from '@parley/client';

const NAME_KEY = 'parley-name';

/** Somebody who is signed in, with a client that runs. */
export interface Session {
  readonly name: string;
  readonly client: ChatClient;
}

/** What the server's development sign-in answers. */
interface DevToken {
  readonly token: string;
  readonly userId: string;
}

/** Asks the server for a token by name alone. Only a development server answers: the same name is the same user. */
async function devToken(name: string): Promise<DevToken> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (response.status === 404) throw new Error('This server does not sign people in by name.');
  if (!response.ok) throw new Error(`The server refused the name (${response.status}).`);
  const answer: DevToken = await response.json();
  return answer;
}

/**
 * Who has this name, for starting a chat. The development sign-in is the only directory there is: it makes the user when there is none,
 * and of its answer only the id is used.
 */
export async function userIdOf(name: string): Promise<string> {
  return (await devToken(name)).userId;
}

/** Signs in and starts a client. The token stays in memory; the name is kept for this tab, so that a reload signs in again. */
export async function signIn(name: string): Promise<Session> {
  const { userId } = await devToken(name);
  const client = createChatClient({
    url: `${location.origin.replace(/^http/, 'ws')}/trpc`,
    getToken: async () => (await devToken(name)).token,
    outboxStorage: indexedDbOutboxStorage(`parley-outbox-${userId}`),
  });
  sessionStorage.setItem(NAME_KEY, name);
  await client.run();
  return { name, client };
}

/** Ends the session and leaves nothing of it behind, unsent messages included. */
export async function signOut(session: Session): Promise<void> {
  sessionStorage.removeItem(NAME_KEY);
  await session.client.signOut();
}

/** The name that this tab was signed in by before a reload. */
export function rememberedName(): string | null {
  return sessionStorage.getItem(NAME_KEY);
}
