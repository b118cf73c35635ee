import { Failure } from '@parley/domain';
import { isStorable } from '@parley/protocol';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { userIdOf } from '../ids.ts';

/** How tokens are verified: a secret of ours, or the public keys of an issuer; never both. */
export interface TokenSettings {
  readonly secret: string | null;
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** Who a valid token says is calling. */
export interface Principal {
  readonly userId: string;
  readonly name: string;
  readonly avatarUrl: string | null;
  readonly email: string | null;
  readonly locale: string | null;
  readonly sid: string | null;
  /** Epoch milliseconds; 0 when the token does not say. */
  readonly issuedAt: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Throws `TOKEN_EXPIRED`, `UNAUTHENTICATED`, or `UNAVAILABLE` when the issuer's keys cannot be had. */
export type VerifyToken = (token: string) => Promise<Principal>;

const CLOCK_TOLERANCE_S = 5;
const SUB_MAX_CHARS = 255;
const NAME_MAX = 100;
const URL_MAX = 2_000;
const WORD_MAX = 255;
const TOKEN_MAX_CHARS = 8_192;

/** Makes the verifier of this process. The algorithms are ours to choose, never the token's. */
export function createVerifier(settings: TokenSettings): VerifyToken {
  const common: JWTVerifyOptions = {
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['sub', 'exp'],
    ...(settings.issuer !== null && { issuer: settings.issuer }),
    ...(settings.audience !== null && { audience: settings.audience }),
  };
  const verify = verifierOf(settings, common);
  return async (token) => {
    if (token.length === 0 || token.length > TOKEN_MAX_CHARS) throw new Failure('UNAUTHENTICATED', 'a token is needed');
    try {
      return principalOf(await verify(token));
    } catch (error) {
      throw asFailure(error);
    }
  };
}

function verifierOf(settings: TokenSettings, common: JWTVerifyOptions): (token: string) => Promise<JWTPayload> {
  if (settings.jwksUrl !== null) {
    const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
      timeoutDuration: 3_000,
      cooldownDuration: 30_000,
      cacheMaxAge: 600_000,
    });
    const options = { ...common, algorithms: ['EdDSA', 'ES256', 'RS256'] };
    return async (token) => (await jwtVerify(token, keys, options)).payload;
  }
  const key = new TextEncoder().encode(settings.secret ?? '');
  const options = { ...common, algorithms: ['HS256'] };
  return async (token) => (await jwtVerify(token, key, options)).payload;
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof errors.JWTExpired)
    return new Failure('TOKEN_EXPIRED', 'the token has expired', { cause: error });
  if (keysAreAway(error)) {
    return new Failure('UNAVAILABLE', 'the keys to check the token with cannot be had', {
      cause: error,
      retryAfterMs: 1_000,
    });
  }
  return new Failure('UNAUTHENTICATED', 'the token is not valid', { cause: error });
}

/** The issuer did not answer, or not with keys. */
function keysAreAway(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof TypeError) return true;
  return error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC';
}

function principalOf(payload: JWTPayload): Principal {
  const { sub, exp } = payload;
  if (sub === undefined || exp === undefined) throw new Failure('UNAUTHENTICATED', 'the token is not valid');
  if (sub.length === 0 || sub.length > SUB_MAX_CHARS || !isStorable(sub)) {
    throw new Failure('UNAUTHENTICATED', 'the token names no user');
  }
  return {
    userId: userIdOf(sub),
    name: word(payload.name, NAME_MAX) ?? sub.slice(0, NAME_MAX).toWellFormed(),
    avatarUrl: httpUrl(word(payload.picture, URL_MAX)),
    email: word(payload.email, WORD_MAX),
    locale: word(payload.locale, WORD_MAX),
    sid: word(payload.sid, WORD_MAX),
    // One from the future would outlive revocations that are still to come.
    issuedAt: Math.min(payload.iat ?? 0, Math.floor(Date.now() / 1_000) + CLOCK_TOLERANCE_S) * 1_000,
    expiresAt: exp * 1_000,
  };
}

/** An optional claim that a store can hold, cut to its length; what cannot be held counts as absent. */
function word(claim: unknown, maxChars: number): string | null {
  if (typeof claim !== 'string' || claim === '' || !isStorable(claim)) return null;
  return claim.slice(0, maxChars).toWellFormed();
}

/** Other schemes (`javascript:`, `data:`) have no business in somebody's page. */
function httpUrl(text: string | null): string | null {
  const url = text === null ? null : URL.parse(text);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
}
