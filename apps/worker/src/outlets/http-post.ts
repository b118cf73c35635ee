/** How long a server of somebody else may take. */
const POST_WITHIN_MS = 10_000;

interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** What a server said: its status, and how long it wants to be left alone. */
export interface PostAnswer {
  readonly status: number;
  readonly retryAfterMs: number | null;
}

/**
 * Posts once, and follows no redirect: whoever answers could else send a worker anywhere inside our network. The answer's body is not
 * read. Throws when there is no answer in time.
 */
export async function post({ url, headers, body }: Post): Promise<PostAnswer> {
  const signal = AbortSignal.timeout(POST_WITHIN_MS);
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
  await response.body?.cancel();
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return { status: response.status, retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : null };
}
