import { type EverybodyHint, parseEverybodyHint } from '@parley/domain';
import type { InboxEvent } from '@parley/protocol';

/** Who on this thread is told what concerns every node. */
export interface Everybody {
  announce(event: Extract<InboxEvent, { type: 'announcement' }>): void;
  standing(userId: string): void;
  erased(userId: string): void;
  deleted(channelId: string): void;
  readonly logger: { warn(detail: object, text: string): void };
}

/** Hands a hint on. Never throws: one that cannot be read is logged, one of a newer build says nothing. */
export function hearEverybody(everybody: Everybody, json: string): void {
  try {
    const hint = parseEverybodyHint(json);
    if (hint) handOn(everybody, hint);
  } catch (error) {
    everybody.logger.warn({ err: error }, 'a hint for everybody cannot be read');
  }
}

function handOn(everybody: Everybody, hint: EverybodyHint): void {
  switch (hint.type) {
    case 'announcement': {
      const { announcementId, text, at } = hint;
      everybody.announce({ type: 'announcement', at, announcementId, text });
      break;
    }
    case 'user.standing':
      everybody.standing(hint.userId);
      break;
    case 'user.erased':
      everybody.erased(hint.userId);
      break;
    case 'channel.deleted':
      everybody.deleted(hint.channelId);
      break;
  }
}
