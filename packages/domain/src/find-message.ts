import { formatPosition, type Message, type Parsed } from '@parley/protocol';
import { Failure } from './failure.ts';
import { parseLine } from './log-line.ts';
import { messageOf } from './message-of.ts';
import { type StoredMessage, shownTo, withState } from './message-state.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews } from './ports/channel-view.ts';
import { inOneEpoch, type MemberView, orWhenAway, type ViewDeps, viewChannel } from './view-channel.ts';

export interface FindDeps extends ViewDeps {
  readonly views: ViewDeps['views'] & Pick<ChannelViews, 'after' | 'states'>;
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'message'>;
}

const STRETCH_LINES = 256;

/** One message, also before it is persisted. */
export function getMessage(deps: FindDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'message.get'>): Promise<Message> => {
    const found = await inOneEpoch(async () => {
      const seen = await view(input.channelId, userId);
      const message = await findMessage(deps, seen, input);
      if (!message) throw noSuchMessage();
      return asTheyAre(deps.views, { channelId: input.channelId, view: seen }, [message]);
    });
    const [message] = found.items;
    if (!message) throw noSuchMessage();
    return shownTo(userId, message);
  };
}

/** The answer for a message that is not there, or not in this channel. */
export function noSuchMessage(): Failure {
  return new Failure('NOT_FOUND', 'no such message');
}

/**
 * The message as it was written where it is: in the window before it is persisted, in Postgres from then on. Throws `UNAVAILABLE` where
 * Postgres does not have it and the log store cannot be asked.
 */
export async function findMessage(
  deps: FindDeps,
  view: MemberView | null,
  { channelId, messageId }: { readonly channelId: string; readonly messageId: string },
): Promise<StoredMessage | null> {
  const recent =
    view && (await orWhenAway(() => findUnpersisted(deps.views, view, { channelId, messageId }), undefined));
  if (recent) return recent;
  const stored = await deps.archive.message(channelId, messageId);
  if (stored || (view && recent === null)) return stored;
  throw new Failure('UNAVAILABLE', 'The message log is away, and may have it.', { retryAfterMs: 1_000 });
}

async function findUnpersisted(
  views: Pick<ChannelViews, 'after'>,
  view: MemberView,
  { channelId, messageId }: { readonly channelId: string; readonly messageId: string },
): Promise<StoredMessage | null> {
  let edge = { epoch: view.epoch, n: view.persistedN };
  while (edge.n < view.head.n) {
    const texts = await views.after(channelId, formatPosition(edge), STRETCH_LINES);
    for (const text of texts) {
      const line = parseLine(text);
      if (!line || line.place.epoch !== view.epoch) continue;
      edge = line.place;
      const message = view.holes.some((hole) => hole.n === edge.n) ? null : messageOf(line, false);
      if (message?.id === messageId) return message;
    }
    if (texts.length < STRETCH_LINES) return null;
  }
  return null;
}

/** Messages, and whether the log store could not be asked: then what it alone knows may be missing. */
interface AsTheyAre {
  readonly items: StoredMessage[];
  readonly persistedOnly: boolean;
}

/**
 * Messages with what the log store knows of them and Postgres may not have yet. They were read before this is called. Null: the log store
 * has forgotten where the view was, so that entries and changes may be missing.
 */
export async function asTheyAre(
  views: Pick<ChannelViews, 'states'>,
  { channelId, view }: { readonly channelId: string; readonly view: MemberView | null },
  messages: readonly StoredMessage[],
): Promise<AsTheyAre | null> {
  if (!view) return { items: [...messages], persistedOnly: true };
  const ids = view.amended ? messages.map(({ id }) => id) : [];
  const answer = await orWhenAway(() => views.states([{ channelId, since: view.head, ids }]), undefined);
  if (!answer) return { items: [...messages], persistedOnly: true };
  const [states = null] = answer;
  return states && { items: messages.map((message, i) => withState(message, states[i] ?? null)), persistedOnly: false };
}
