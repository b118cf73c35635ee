import { type ChannelView, comparePlaces, type FeedEntry, type LogPlace } from '@parley/domain';
import type { ChannelEvent, Message } from '@parley/protocol';
import type { InCommon } from '../hub/in-common.ts';

/** What an inbox counts from: of a view only that, for there is one for each channel of each inbox. */
export type CountedView = Pick<
  ChannelView,
  'epoch' | 'head' | 'headPosition' | 'readTo' | 'holes' | 'deleted' | 'mentions'
>;

const NONE: readonly never[] = [];

/** Of a view that is new here. */
export function countedOf(view: ChannelView, inCommon: InCommon): CountedView {
  const { epoch, head, headPosition, readTo, holes, deleted, mentions } = view;
  return {
    epoch,
    head: inCommon.head.of(head),
    headPosition: headPosition && inCommon.position.of(headPosition),
    readTo,
    // Mostly they are empty: one list for all of those.
    holes: holes.length > 0 ? holes : NONE,
    deleted: deleted.length > 0 ? deleted : NONE,
    mentions: mentions.length > 0 ? mentions : NONE,
  };
}

/** The same after an entry at this place; a send of the user's own reads up to itself. */
export function afterEntry(
  view: CountedView,
  entry: FeedEntry,
  { place, isOwn }: { place: LogPlace; isOwn: boolean },
): CountedView {
  return { ...view, head: place, headPosition: entry.id, readTo: isOwn ? place : view.readTo };
}

/** The same after what a count of messages does not say of the newest entry: who is meant, and what was taken back. */
export function afterEvent(view: CountedView, event: ChannelEvent, userId: string): CountedView {
  const { headPosition, deleted, mentions } = view;
  if (event.type === 'message.deleted') return { ...view, deleted: [...deleted, event.messagePosition] };
  if (event.type !== 'message.created' || headPosition === null || !isMeant(event.message, userId)) return view;
  return { ...view, mentions: [...mentions, headPosition] };
}

/** The same after the user has read up to a place. */
export function afterRead(view: CountedView, place: LogPlace): CountedView {
  return view.readTo === null || comparePlaces(place, view.readTo) > 0 ? { ...view, readTo: place } : view;
}

/** Whether the message is another's and mentions the user. */
export function isMeant({ senderId, mentions }: Message, userId: string): boolean {
  return senderId !== userId && mentions.includes(userId);
}
