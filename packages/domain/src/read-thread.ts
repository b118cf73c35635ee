import { type Answer, comparePositions, formatPosition, type Parsed } from '@parley/protocol';
import { type FindDeps, findMessage, noSuchMessage } from './find-message.ts';
import { parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import type { StoredMessage } from './message-state.ts';
import { pageAsItIs, pageTo, type StoredPage } from './page-messages.ts';
import type { Archive } from './ports/archive.ts';
import { inOneEpoch, type MemberView, orWhenAway, viewChannel } from './view-channel.ts';

export interface ThreadDeps extends FindDeps {
  readonly archive: FindDeps['archive'] & Pick<Archive, 'thread'>;
}

type Thread = Parsed<'message.thread'>;

const STRETCH_LINES = 256;

/** A page of a thread's replies, oldest first: what is not persisted yet is read first, then Postgres. Without a side: the first ones. */
export function readThread(deps: ThreadDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Thread): Promise<Answer<'message.thread'>> => {
    const page = await inOneEpoch(async () => threadPage(deps, await view(input.channelId, userId), input));
    return pageTo(userId, page);
  };
}

async function threadPage(deps: ThreadDeps, seen: MemberView | null, input: Thread): Promise<StoredPage | null> {
  const { channelId, messageId, limit } = input;
  const [recent, parent] = await Promise.all([unpersistedReplies(deps, seen, input), findMessage(deps, seen, input)]);
  if (!parent) throw noSuchMessage();
  const side = input.before ? { before: input.before } : { after: input.after ?? ('0-0' as const) };
  const stored = await deps.archive.thread({ channelId, messageId, limit, ...side });
  const found = new Map([...(recent ?? []), ...stored.items].map((reply) => [reply.position, reply]));
  const all = [...found.values()].sort((a, b) => comparePositions(a.position, b.position));
  const items = input.before ? all.slice(-limit) : all.slice(0, limit);
  return pageAsItIs(
    deps,
    { channelId, view: seen },
    {
      items,
      hasBefore: stored.hasBefore || (input.before !== undefined && all.length > limit),
      hasAfter: stored.hasAfter || (input.before === undefined && all.length > limit),
      persistedOnly: recent === null,
    },
  );
}

/** Null: the log store is away. */
async function unpersistedReplies(
  deps: ThreadDeps,
  view: MemberView | null,
  input: Thread,
): Promise<StoredMessage[] | null> {
  if (!view) return null;
  const replies: StoredMessage[] = [];
  let edge = { epoch: view.epoch, n: view.persistedN };
  while (edge.n < view.head.n) {
    const from = formatPosition(edge);
    const texts = await orWhenAway(() => deps.views.after(input.channelId, from, STRETCH_LINES), null);
    if (!texts) return null;
    const lines = texts.map(parseLine).filter((line) => line?.place.epoch === view.epoch && line.place.n > edge.n);
    for (const line of lines) {
      const reply = line && messageOf(line, false);
      if (reply && reply.threadOf === input.messageId && isAsked(reply, input)) replies.push(reply);
      if (line) edge = line.place;
    }
    if (texts.length < STRETCH_LINES) break;
  }
  return replies.filter(
    (reply) => !view.holes.some(({ n }) => reply.position === formatPosition({ epoch: view.epoch, n })),
  );
}

function isAsked({ position }: StoredMessage, { before, after }: Thread): boolean {
  if (before && comparePositions(position, before) >= 0) return false;
  return !after || comparePositions(position, after) > 0;
}
