import {
  type Answer,
  comparePositions,
  formatPosition,
  type Message,
  type Parsed,
  type Position,
  parsePosition,
} from '@parley/protocol';
import { Failure } from './failure.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews } from './ports/channel-view.ts';
import { isAway, type MemberView, orWhenAway, type ViewDeps, viewChannel } from './view-channel.ts';
import { windowAfter, windowBefore } from './window-messages.ts';

export interface PageDeps extends ViewDeps {
  readonly views: ViewDeps['views'] & Pick<ChannelViews, 'before' | 'after'>;
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'page' | 'message'>;
}

type MessagePage = Answer<'message.page'>;

interface Side {
  readonly channelId: string;
  readonly view: MemberView | null;
  readonly limit: number;
}

/**
 * One page of a channel's messages. The window is read first, then Postgres (a message moves from the one to the other, never back);
 * what the window holds alone needs no Postgres. Without the log store Postgres answers for itself.
 */
export function pageMessages(deps: PageDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'message.page'>): Promise<MessagePage> => {
    const { channelId, limit } = input;
    const side: Side = { channelId, view: await view(channelId, userId), limit };
    if (input.after) return pageAfter(deps, side, input.after);
    if (input.around) return pageAround(deps, side, input.around);
    return pageBefore(deps, side, input.before ?? null);
  };
}

async function pageBefore(deps: PageDeps, side: Side, before: Position | null): Promise<MessagePage> {
  const { channelId, view, limit } = side;
  const query = view && { channelId, view, wanted: limit + 1 };
  const recent = query && (await orWhenAway(() => windowBefore(deps.views, query, before), null));
  const hasAfter = before !== null && (view?.headPosition ? comparePositions(view.headPosition, before) >= 0 : true);
  if (recent?.whole) return { items: recent.items.slice(-limit), hasBefore: recent.items.length > limit, hasAfter };
  const items = recent?.items ?? [];
  try {
    const stored = await deps.archive.page({ channelId, limit, ...(before && { before }) });
    const merged = merge(stored.items, items);
    return {
      items: merged.slice(-limit),
      hasBefore: stored.hasBefore || merged.length > limit,
      hasAfter: before !== null && (hasAfter || stored.hasAfter),
    };
  } catch (error) {
    // Without Postgres the window still serves what it has: its near end is the one that was asked for.
    if (!isAway(error) || items.length === 0) throw error;
    return { items: items.slice(-limit), hasBefore: true, hasAfter };
  }
}

async function pageAfter(deps: PageDeps, side: Side, after: Position): Promise<MessagePage> {
  const { channelId, view, limit } = side;
  const query = view && { channelId, view, wanted: limit + 1 };
  const recent = query && (await orWhenAway(() => windowAfter(deps.views, query, after), null));
  if (recent?.whole) {
    return { items: recent.items.slice(0, limit), hasBefore: true, hasAfter: recent.items.length > limit };
  }
  const stored = await deps.archive.page({ channelId, limit, after });
  const merged = merge(stored.items, recent?.items ?? []);
  return {
    items: merged.slice(0, limit),
    hasBefore: stored.hasBefore,
    hasAfter: stored.hasAfter || merged.length > limit,
  };
}

/** What is before the position, and from it on. */
async function pageAround(deps: PageDeps, side: Side, around: Position): Promise<MessagePage> {
  const { epoch, n } = parsePosition(around);
  const half = Math.floor(side.limit / 2);
  const older = half === 0 ? null : await pageBefore(deps, { ...side, limit: half }, around);
  const rest = { ...side, limit: side.limit - (older?.items.length ?? 0) };
  const newer = await pageAfter(deps, rest, formatPosition({ epoch, n: Math.max(0, n - 1) }));
  return {
    items: [...(older?.items ?? []), ...newer.items],
    hasBefore: older?.hasBefore ?? true,
    hasAfter: newer.hasAfter,
  };
}

/** Both, in order, each position once. What Postgres has wins: it is what became of the message. */
function merge(stored: readonly Message[], recent: readonly Message[]): Message[] {
  const byPosition = new Map([...recent, ...stored].map((message) => [message.position, message]));
  return [...byPosition.values()].sort((a, b) => comparePositions(a.position, b.position));
}

/** One message, also before it is persisted. */
export function getMessage(deps: PageDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'message.get'>): Promise<Message> => {
    const { channelId, messageId } = input;
    const seen = await view(channelId, userId);
    const found =
      (seen && (await unpersisted(deps, seen, input))) ?? (await deps.archive.message(channelId, messageId));
    if (!found) throw new Failure('NOT_FOUND', 'no such message');
    return found;
  };
}

const LOOK_AHEAD = 1_000;

async function unpersisted(
  deps: PageDeps,
  view: MemberView,
  { channelId, messageId }: Parsed<'message.get'>,
): Promise<Message | null> {
  const mark = formatPosition({ epoch: view.epoch, n: view.persistedN });
  const query = { channelId, view, wanted: LOOK_AHEAD };
  const recent = await orWhenAway(() => windowAfter(deps.views, query, mark), null);
  return recent?.items.find((message) => message.id === messageId) ?? null;
}
