import { createHash } from 'node:crypto';
import type { Notice } from '@parley/domain';

/** Names a telling: the same outlet, user, channels and last positions always have the same name, of 32 characters of base64url. */
export function noticeId(...notices: readonly Notice[]): string {
  const hash = createHash('sha256');
  for (const { userId, outlet, channel, upTo } of notices) {
    hash.update(`${userId} ${outlet} ${channel.id} ${upTo.epoch}-${upTo.n}\n`);
  }
  return hash.digest('base64url').slice(0, 32);
}
