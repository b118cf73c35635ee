interface Session {
  readonly token: string;
  readonly userId: string;
}

// The same id at every start: the channel is made once.
const DEMO_CHANNEL = '00000000-0000-8000-8000-0000000000ad';

/** Two users who share a channel, through the front door, so that a first visitor finds somebody to talk to. Repeatable. */
export async function seedDemo(url: string): Promise<void> {
  const [ada, grace] = await Promise.all([signIn(url, 'ada'), signIn(url, 'grace')]);
  await post(`${url}/trpc/channel.create`, ada.token, {
    kind: 'group',
    name: 'Ada and Grace',
    memberIds: [grace.userId],
    clientId: DEMO_CHANNEL,
  });
}

async function signIn(url: string, name: string): Promise<Session> {
  const session: Session = JSON.parse(await post(`${url}/dev/token`, undefined, { name }));
  return session;
}

async function post(url: string, token: string | undefined, body: unknown): Promise<string> {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
  return text;
}
