import { NAME_MAX_CHARS, textSchema } from '@parley/protocol';
import { SignJWT } from 'jose';
import * as z from 'zod/mini';
import { userIdOf } from '../ids.ts';

const bodyOf = z.object({ name: textSchema(1, NAME_MAX_CHARS) });
const LIFETIME = '1h';

/** A token for somebody on this machine who is trying things out. */
export interface DevToken {
  readonly token: string;
  readonly userId: string;
  readonly name: string;
}

/** Makes tokens for names, as `/dev/token` gives them out. The same name is the same user. Null when the body names nobody. */
export function createDevTokens(settings: { secret: string; issuer: string | null; audience: string | null }) {
  const key = new TextEncoder().encode(settings.secret);
  return async (body: unknown): Promise<DevToken | null> => {
    const parsed = z.safeParse(bodyOf, body);
    if (!parsed.success) return null;
    const { name } = parsed.data;
    const sub = `dev:${name}`;
    const jwt = new SignJWT({ name }).setProtectedHeader({ alg: 'HS256' }).setSubject(sub).setIssuedAt();
    jwt.setExpirationTime(LIFETIME);
    if (settings.issuer !== null) jwt.setIssuer(settings.issuer);
    if (settings.audience !== null) jwt.setAudience(settings.audience);
    return { token: await jwt.sign(key), userId: userIdOf(sub), name };
  };
}
