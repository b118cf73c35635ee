import {
  type Answer,
  comparePositions,
  formatPosition,
  type Parsed,
  type Position,
  parsePosition,
} from '@parley/protocol';
import { asTheyAre, type FindDeps } from './find-message.ts';
import { type StoredMessage, shownTo } from './message-state.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews } from './ports/channel-view.ts';
import { inOneEpoch, isAway, type MemberView, orWhenAway, type ViewDeps, viewChannel } from './view-channel.ts';
import { windowAfter, windowBefore } from './window-messages.ts';

export interface PageDeps extends ViewDeps {
  readonly views: ViewDeps['views'] & Pick<ChannelViews, 'before' | 'after' | 'states'>;
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'page'>;
}

/** A page before it is one user's. */
export type StoredPage = Omit<Answer<'message.page'>, 'items'> & { readonly items: StoredMessage[] };

interface Side {
  readonly channelId: string;
  readonly view: MemberView | null;
  readonly limit: number;
}

/**
 * One page of a channel's messages. The window is read first, then Postgres (a message moves from the one to the other, never back);
 * what the window holds alone needs no Postgres. Without the log store Postgres answers for itself, and the page says so.
 */
export function pageMessages(deps: PageDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'message.page'>): Promise<Answer<'message.page'>> => {
    const { channelId, limit } = input;
    const page = await inOneEpoch(async () => {
      const side: Side = { channelId, view: await view(channelId, userId), limit };
      return pageAsItIs(deps, side, await pageOf(deps, side, input));
    });
    return pageTo(userId, page);
  };
}

/** A page that was read with this view, with what the log store knows. Null: the log store has forgotten where the view was. */
export async function pageAsItIs(
  { views }: Pick<FindDeps, 'views'>,
  read: { readonly channelId: string; readonly view: MemberView | null },
  page: StoredPage,
): Promise<StoredPage | null> {
  const known = await asTheyAre(views, read, page.items);
  return known && { ...page, ...known, persistedOnly: known.persistedOnly || page.persistedOnly === true };
}

/** The page as one user sees it. */
export function pageTo(userId: string, { persistedOnly, ...page }: StoredPage): Answer<'message.page'> {
  const items = page.items.map((message) => shownTo(userId, message));
  return { ...page, items, ...(persistedOnly && { persistedOnly }) };
}

function pageOf(deps: PageDeps, side: Side, input: Parsed<'message.page'>): Promise<StoredPage> {
  if (input.after) return pageAfter(deps, side, input.after);
  if (input.around) return pageAround(deps, side, input.around);
  return pageBefore(deps, side, input.before ?? null);
}

async function pageBefore(deps: PageDeps, side: Side, before: Position | null): Promise<StoredPage> {
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
      persistedOnly: recent === null,
    };
  } catch (error) {
    // Without Postgres the window still serves what it has: its near end is the one that was asked for.
    if (!isAway(error) || items.length === 0) throw error;
    return { items: items.slice(-limit), hasBefore: true, hasAfter };
  }
}

async function pageAfter(deps: PageDeps, side: Side, after: Position): Promise<StoredPage> {
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
    persistedOnly: recent === null,
  };
}

/** What is before the position, and from it on. */
async function pageAround(deps: PageDeps, side: Side, around: Position): Promise<StoredPage> {
  const { epoch, n } = parsePosition(around);
  const half = Math.floor(side.limit / 2);
  const older = half === 0 ? null : await pageBefore(deps, { ...side, limit: half }, around);
  const rest = { ...side, limit: side.limit - (older?.items.length ?? 0) };
  const newer = await pageAfter(deps, rest, formatPosition({ epoch, n: Math.max(0, n - 1) }));
  return {
    items: [...(older?.items ?? []), ...newer.items],
    hasBefore: older?.hasBefore ?? true,
    hasAfter: newer.hasAfter,
    persistedOnly: older?.persistedOnly === true || newer.persistedOnly === true,
  };
}

/** Both, in order, each position once. What Postgres has wins: it is what became of the message. */
function merge(stored: readonly StoredMessage[], recent: readonly StoredMessage[]): StoredMessage[] {
  const byPosition = new Map([...recent, ...stored].map((message) => [message.position, message]));
  return [...byPosition.values()].sort((a, b) => comparePositions(a.position, b.position));
}
