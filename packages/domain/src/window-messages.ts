import { formatPosition, type Position, parsePosition } from '@parley/protocol';
import { type LogLine, parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import type { StoredMessage } from './message-state.ts';
import type { ChannelView, ChannelViews } from './ports/channel-view.ts';

/** Messages of the window, oldest first. */
export interface WindowMessages {
  readonly items: StoredMessage[];
  /** Nothing is missing between the point asked for and the far end of `items`, and these are all that were asked for or that there are. */
  readonly whole: boolean;
}

export interface WindowQuery {
  readonly channelId: string;
  readonly view: ChannelView;
  readonly wanted: number;
}

/** Lines read beyond the messages wanted: some of them are member changes or holes. */
const SPARE_LINES = 8;
const ROUNDS_MAX = 50;

/** The line, unless it is of an older epoch (only Postgres knows what became of it) or unreadable. */
function current(text: string, view: ChannelView): LogLine | null {
  const line = parseLine(text);
  return line && line.place.epoch === view.epoch ? line : null;
}

function toMessage(line: LogLine, view: ChannelView): StoredMessage | null {
  if (view.holes.some((hole) => hole.n === line.place.n)) return null;
  return messageOf(line, line.place.n <= view.persistedN);
}

/** The last messages before a position (null: from the head). Whole when the wanted number, or the channel's first entry, was found in the current epoch. */
export async function windowBefore(
  views: Pick<ChannelViews, 'before'>,
  { channelId, view, wanted }: WindowQuery,
  before: Position | null,
): Promise<WindowMessages> {
  const items: StoredMessage[] = [];
  if (view.headPosition === null) return { items, whole: true };
  const chunk = wanted + SPARE_LINES;
  let edge = before;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const texts = await views.before(channelId, edge, chunk);
    const lines = texts.map((text) => current(text, view)).filter((line) => line !== null);
    items.unshift(...lines.map((line) => toMessage(line, view)).filter((message) => message !== null));
    if (items.length >= wanted) return { items: items.slice(-wanted), whole: true };
    const oldest = lines[0];
    // The channel's first entry of all: there is nothing before it, anywhere.
    if (view.base === null && oldest?.place.n === 1) return { items, whole: true };
    // Below the mark everything is in Postgres; above it the window has it all.
    if (!oldest || texts.length < chunk || oldest.place.n <= view.persistedN) break;
    edge = formatPosition(oldest.place);
  }
  return { items, whole: false };
}

/** The first messages after a position. Whole when the window reaches back to it, inside the current epoch. */
export async function windowAfter(
  views: Pick<ChannelViews, 'after'>,
  { channelId, view, wanted }: WindowQuery,
  after: Position,
): Promise<WindowMessages> {
  const items: StoredMessage[] = [];
  const chunk = wanted + SPARE_LINES;
  const from = parsePosition(after);
  let whole = from.epoch === view.epoch;
  let reached = whole ? from.n : 0;
  let edge = after;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const lines = (await views.after(channelId, edge, chunk)).map(parseLine).filter((line) => line !== null);
    for (const line of lines) {
      edge = formatPosition(line.place);
      if (line.place.epoch !== view.epoch) continue;
      if (line.place.n !== reached + 1) whole = false;
      reached = line.place.n;
      const message = toMessage(line, view);
      if (message) items.push(message);
    }
    if (items.length >= wanted) return { items: items.slice(0, wanted), whole };
    if (lines.length < chunk) break;
  }
  return { items, whole: whole && reached >= view.head.n };
}
