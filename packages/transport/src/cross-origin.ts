import type { IncomingMessage, ServerResponse } from 'node:http';
import { findOriginRefusal, type Refusal } from './guard.ts';

/** What pages of other origins may do. */
export interface CrossOriginRules {
  /** Origins that are let in beside the host's own, compared exactly. */
  readonly origins: readonly string[];
  /** Request headers that their pages may set. */
  readonly allowedHeaders: readonly string[];
}

/** How long a browser may remember the answer. */
const PREFLIGHT_FOR_S = '600';

/**
 * Writes down for browsers whom the answer is for. Gives the refusal of a page of a foreign origin, which gets no header at all.
 * Credentials are never allowed: a token is all there is, and a page has to hold it.
 */
export function admitOrigin(req: IncomingMessage, res: ServerResponse, rules: CrossOriginRules): Refusal | undefined {
  // Also where there is none: a cache must not give one origin's answer to another.
  res.setHeader('vary', 'origin');
  const refusal = findOriginRefusal(req, rules.origins);
  if (refusal) return refusal;
  const { origin } = req.headers;
  if (origin !== undefined) res.setHeader('access-control-allow-origin', origin);
  return undefined;
}

/** Answers a browser that asks what it may ask. */
export function answerPreflight(res: ServerResponse, { allowedHeaders }: CrossOriginRules): void {
  res
    .writeHead(204, {
      allow: 'GET, POST, OPTIONS',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': allowedHeaders.join(', '),
      'access-control-max-age': PREFLIGHT_FOR_S,
    })
    .end();
}
