import type { Answer, Parsed } from '@parley/protocol';
import type { TypingSignals } from './ports/ephemeral.ts';
import { positionAt } from './read-receipt.ts';
import { notFound } from './settle-operation.ts';
import { loadedView, type ViewDeps } from './view-channel.ts';

export interface TypingDeps extends Pick<ViewDeps, 'views' | 'log'> {
  readonly typing: TypingSignals;
}

/** A member types, or stops. The log store says who is a member: Postgres is asked only where a header has to be loaded. */
export function setTyping({ views, log, typing: signals }: TypingDeps) {
  return async (userId: string, { channelId, typing }: Parsed<'typing.set'>): Promise<Answer<'typing.set'>> => {
    const view = await loadedView({ views, log }, { channelId, userId });
    if (view.rank === null) throw notFound();
    return { expiresInMs: await signals.say(channelId, { userId, typing, after: positionAt(view.readTo) }) };
  };
}
