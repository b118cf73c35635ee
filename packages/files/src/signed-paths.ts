import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What may be done with a signed path: GET covers HEAD. */
export type SignedMethod = 'GET' | 'PUT';

/** What is signed along with a path: numbers, so that no proxy can write them in another way. */
export type SignedNumbers = Readonly<Record<string, number>>;

/** What a signature is worth. */
export type SignatureVerdict =
  | { readonly type: 'valid'; readonly numbers: SignedNumbers }
  | { readonly type: 'expired' }
  | { readonly type: 'forged' };

/** Paths of our own port that work for whoever has them, for one method and until they expire. */
export interface SignedPaths {
  sign(method: SignedMethod, path: string, options: { expiresAt: number; numbers?: SignedNumbers }): string;
  /** Takes the path and query exactly as they were asked for. */
  check(method: SignedMethod, pathAndQuery: string, now: number): SignatureVerdict;
}

const MARK = '&signature=';
const QUERY = /^[a-z]+=\d{1,15}(?:&[a-z]+=\d{1,15})*$/;
const FORGED: SignatureVerdict = { type: 'forged' };

/** Signs with a key of its own, made of the secret: a signature of ours is never one of somebody else's with the same secret. */
export function createSignedPaths(secret: string): SignedPaths {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'parley files', 32));
  const macOf = (method: SignedMethod, text: string) => createHmac('sha256', key).update(`${method} ${text}`).digest();
  return {
    sign: (method, path, { expiresAt, numbers = {} }) => {
      const query = Object.entries({ ...numbers, expires: expiresAt }).map(([name, number]) => `${name}=${number}`);
      const text = `${path}?${query.join('&')}`;
      return `${text}${MARK}${macOf(method, text).toString('base64url')}`;
    },
    check: (method, pathAndQuery, now) => {
      const at = pathAndQuery.lastIndexOf(MARK);
      if (at < 0) return FORGED;
      const text = pathAndQuery.slice(0, at);
      const given = Buffer.from(pathAndQuery.slice(at + MARK.length), 'base64url');
      const mac = macOf(method, text);
      if (given.length !== mac.length || !timingSafeEqual(given, mac)) return FORGED;
      const numbers = numbersOf(text);
      if (!numbers) return FORGED;
      return (numbers.expires ?? 0) > now ? { type: 'valid', numbers } : { type: 'expired' };
    },
  };
}

function numbersOf(text: string): SignedNumbers | null {
  const query = text.slice(text.indexOf('?') + 1);
  if (!QUERY.test(query)) return null;
  return Object.fromEntries(query.split('&').map((part) => [part.split('=')[0] ?? '', Number(part.split('=')[1])]));
}
