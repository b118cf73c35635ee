import type { Answer, ChannelEvent, Input, Message, Operation, Position, Reaction } from '@parley/protocol';
import { comparePositions, formatPosition } from '@parley/protocol';
import { type FakeApi, lostSocket, messageAt, refusal } from './fake-server.ts';

/** A message with who has reacted to it. */
interface Kept {
  readonly message: Message;
  readonly reactors: ReadonlyMap<string, readonly string[]>;
}

type State = ReadonlyMap<string, Kept>;

interface Entry {
  readonly position: Position;
  readonly actor: string;
  readonly id: string;
  /** What it makes of the channel. */
  readonly apply: (state: State) => State;
}

/** What becomes of the next call: it is done, its answer is lost, it never arrives, or it is refused, unless it was accepted before. */
export type Fate = 'answered' | 'unanswered' | 'lost' | 'refused';

const NOTHING = { body: '', reactions: [], attachments: [], mentions: [], encrypted: null };

/**
 * One channel as its members notice it: a log in epochs that can be lost, Postgres behind it, operations that are known again by their
 * ids, and feeds that tell when they are let.
 */
export class FakeChannel {
  epoch = 5;
  readonly fates: Fate[] = [];
  #n = 0;
  #log: Entry[] = [];
  #postgres: State = new Map();
  readonly #stored = new Map<string, Position>();
  #state: State = new Map();
  #waiting: { id: Position; event: ChannelEvent }[] = [];
  #mark: Position | null = null;
  #refuses = false;

  /** Answers the calls of this user. */
  serve(api: FakeApi, actor: string): void {
    const { handlers } = api;
    handlers['message.send'] = (input) => this.#fated(() => this.#send(actor, input));
    handlers['message.edit'] = ({ messageId, body, op }) =>
      this.#fated(() => {
        const edited = this.#change(actor, { op, messageId }, (kept) => ({
          ...kept,
          message: { ...kept.message, body, editedAt: 1 },
        }));
        return { ...edited, messageId, editedAt: 1 };
      });
    handlers['message.delete'] = ({ messageId, op }) =>
      this.#fated(() => {
        const gone = this.#change(actor, { op, messageId }, ({ message }) => ({
          message: { ...message, ...NOTHING, deletedAt: 1 },
          reactors: new Map(),
        }));
        return { ...gone, messageId, deletedAt: 1 };
      });
    handlers['reaction.add'] = (input) => this.#fated(() => this.#react(actor, input, true));
    handlers['reaction.remove'] = (input) => this.#fated(() => this.#react(actor, input, false));
    handlers['message.page'] = ({ before, limit = 20 }) => {
      const all = this.seenBy(actor).filter((each) => !before || comparePositions(each.position, before) < 0);
      return { items: all.slice(-limit), hasBefore: all.length > limit, hasAfter: before !== undefined };
    };
  }

  /** The whole channel as a user is shown it. */
  seenBy(userId: string): Message[] {
    const seen = [...this.#state.values()].map((kept) => shownTo(userId, kept));
    return seen.sort((a, b) => comparePositions(a.position, b.position));
  }

  /** Puts the events that wait on their way; without a number all of them. */
  deliver(count = this.#waiting.length): { id: Position; event: ChannelEvent }[] {
    return this.#waiting.splice(0, count);
  }

  persist(): void {
    for (const { apply, actor, id, position } of this.#log) {
      this.#postgres = apply(this.#postgres);
      this.#stored.set(`${actor} ${id}`, position);
      this.#mark = position;
    }
    this.#log = [];
    this.#state = persisted(this.#state);
    this.#postgres = persisted(this.#postgres);
    if (this.#mark) this.#tell({ type: 'message.persisted', channelId: 'c', at: 1, upTo: this.#mark, holes: [] });
  }

  /** Fail-over to a server that never got what is not persisted. */
  lose(): void {
    this.epoch += 1;
    this.#n = 0;
    this.#log = [];
    this.#mark = null;
    this.#state = this.#postgres;
    this.#tell({ type: 'resync', channelId: 'c', at: 1, reason: 'epoch', head: this.head });
  }

  get head(): Position {
    return formatPosition({ epoch: this.epoch, n: this.#n });
  }

  #tell(event: ChannelEvent): void {
    this.#waiting.push({ id: this.head, event });
  }

  #fated<T>(call: () => T): T {
    const fate = this.fates.shift() ?? 'answered';
    if (fate === 'lost') throw lostSocket();
    this.#refuses = fate === 'refused';
    const answer = call();
    if (fate === 'unanswered') throw lostSocket();
    return answer;
  }

  #send(actor: string, input: Input<'message.send'>): Answer<'message.send'> {
    const { clientMsgId, body } = input;
    const messageId = `id-${clientMsgId}`;
    const settled = this.#settle(actor, { ...input.op, id: clientMsgId }, (position) => {
      const more = { clientMsgId, senderId: actor, body, persisted: false, threadOf: input.threadOf ?? null };
      const message = messageAt(position, { ...more, id: messageId });
      this.#tell({ type: 'message.created', channelId: 'c', at: 1, message });
      return (state) => new Map(state).set(messageId, { message, reactors: new Map() });
    });
    return { ...settled, messageId, sentAt: 1 };
  }

  #change(
    actor: string,
    { op, messageId }: { op: Operation | undefined; messageId: string },
    change: (kept: Kept) => Kept,
  ) {
    return this.#settle(actor, op, (position) => {
      const known = this.#state.get(messageId);
      if (!known || known.message.deletedAt !== null) throw refusal('NOT_FOUND');
      const changed = change(known);
      const inChannel = { channelId: 'c', at: 1, position };
      const message = shownTo('me', changed);
      if (message.deletedAt === null) this.#tell({ type: 'message.updated', ...inChannel, message });
      else {
        const { deletedAt, position: messagePosition } = message;
        this.#tell({ type: 'message.deleted', ...inChannel, messageId, messagePosition, deletedAt });
      }
      return (state) => {
        const kept = state.get(messageId);
        return kept ? new Map(state).set(messageId, change(kept)) : state;
      };
    });
  }

  #react(actor: string, { messageId, emoji, op }: Input<'reaction.add'>, added: boolean): Answer<'reaction.add'> {
    const answered = this.#answered(actor, op);
    const kept = this.#state.get(messageId);
    if (!answered && (!kept || kept.message.deletedAt !== null)) throw refusal('NOT_FOUND');
    const isSo = (kept?.reactors.get(emoji) ?? []).includes(actor);
    if (!answered && isSo === added) return { epoch: this.epoch, position: null, level: 'accepted', reactions: [] };
    const settled = this.#settle(actor, op, (position) => {
      const apply = (state: State) => {
        const before = state.get(messageId);
        return before ? new Map(state).set(messageId, reacted(before, { actor, emoji, added })) : state;
      };
      const after = apply(this.#state).get(messageId);
      const reactions = after ? shownTo('me', after).reactions : [];
      this.#tell({ type: 'reaction.changed', channelId: 'c', at: 1, position, messageId, reactions });
      return apply;
    });
    return { ...settled, reactions: [] };
  }

  /** The server's fence and its memory of operations. */
  #answered(actor: string, op: Operation | undefined) {
    if (op?.epoch !== undefined && op.epoch !== this.epoch) throw refusal('CONFLICT', { epoch: this.epoch });
    const { epoch } = this;
    const stored = this.#stored.get(`${actor} ${op?.id}`);
    if (stored) return { epoch, position: stored, level: 'persisted' as const, duplicate: true };
    const inLog = this.#log.find((entry) => entry.actor === actor && entry.id === op?.id);
    if (inLog) return { epoch, position: inLog.position, level: 'accepted' as const, duplicate: true };
    if (this.#refuses) throw refusal('FORBIDDEN');
    return null;
  }

  #settle(actor: string, op: Operation | undefined, accept: (position: Position) => Entry['apply']) {
    const answered = this.#answered(actor, op);
    if (answered) return answered;
    const position = formatPosition({ epoch: this.epoch, n: this.#n + 1 });
    this.#n += 1;
    try {
      const apply = accept(position);
      this.#log.push({ position, actor, id: op?.id ?? position, apply });
      this.#state = apply(this.#state);
    } catch (error) {
      this.#n -= 1;
      throw error;
    }
    return { epoch: this.epoch, position, level: 'accepted' as const, duplicate: false };
  }
}

function shownTo(userId: string, { message, reactors }: Kept): Message {
  const reactions: Reaction[] = [...reactors]
    .filter(([, users]) => users.length > 0)
    .map(([emoji, users]) => ({ emoji, count: users.length, mine: users.includes(userId) }));
  return { ...message, reactions };
}

function reacted({ message, reactors }: Kept, by: { actor: string; emoji: string; added: boolean }): Kept {
  const others = (reactors.get(by.emoji) ?? []).filter((user) => user !== by.actor);
  return { message, reactors: new Map(reactors).set(by.emoji, by.added ? [...others, by.actor] : others) };
}

function persisted(state: State): State {
  return new Map([...state].map(([id, kept]) => [id, { ...kept, message: { ...kept.message, persisted: true } }]));
}
