import { comparePositions, type Message, ORIGIN, type Position } from '@parley/protocol';
import { joinMarks, judge, markOf, type PersistedMark } from '../outbox/persisted-mark.ts';
import type { MessageChange } from './message-change.ts';

/** What makes two messages the same one, whatever their positions. */
export function messageKey(message: { senderId: string; clientMsgId: string }): string {
  return `${message.senderId}:${message.clientMsgId}`;
}

/**
 * The part of a channel's history that is loaded: in order, each message once. A message that was lost with its log store and sent again
 * comes back at another position: it moves there.
 */
export class MessageList {
  #ordered: Message[] = [];
  readonly #byKey = new Map<string, Message>();
  #mark: PersistedMark | null = null;
  #reachedTo: Position = ORIGIN;
  /** For each page that is on its way: what was changed since it was asked for. */
  readonly #awaited = new Set<MessageChange[]>();

  get messages(): readonly Message[] {
    return this.#ordered;
  }

  get oldest(): Position | null {
    return this.#ordered[0]?.position ?? null;
  }

  get newest(): Position | null {
    return this.#ordered.at(-1)?.position ?? null;
  }

  /** Everything up to here that the feed told is in the list. */
  get reachedTo(): Position {
    return this.#reachedTo;
  }

  reached(position: Position): void {
    if (comparePositions(position, this.#reachedTo) > 0) this.#reachedTo = position;
  }

  /**
   * A page is asked for. The returned function takes it: what was changed meanwhile is changed in it, too, for it may have been read
   * before that.
   */
  awaitPage(): (messages: readonly Message[]) => void {
    const meanwhile: MessageChange[] = [];
    this.#awaited.add(meanwhile);
    return (messages) => {
      this.#awaited.delete(meanwhile);
      for (const message of messages) this.add(message);
      for (const change of meanwhile) this.#apply(change);
    };
  }

  change(change: MessageChange): void {
    for (const meanwhile of this.#awaited) meanwhile.push(change);
    this.#apply(change);
  }

  add(message: Message): void {
    const known = this.#byKey.get(messageKey(message));
    const order = known ? comparePositions(message.position, known.position) : 1;
    if (order < 0) return;
    if (known) this.#remove(known);
    const persisted = message.persisted || (order === 0 && known?.persisted === true) || this.#isPersisted(message);
    const stranger = this.#ordered[this.#placeOf(message.position)];
    if (stranger?.position === message.position) this.#remove(stranger);
    this.#insert({ ...message, persisted }, this.#placeOf(message.position));
  }

  markPersisted(upTo: Position, holes: readonly Position[]): void {
    this.#mark = joinMarks(this.#mark, markOf(upTo, holes));
    for (const message of this.#ordered) {
      if (!message.persisted && this.#isPersisted(message)) this.#replace(message, { ...message, persisted: true });
    }
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** The message is in Postgres, wherever it stands. */
  settle(key: string): void {
    const message = this.#byKey.get(key);
    if (message && !message.persisted) this.#replace(message, { ...message, persisted: true });
  }

  /** The message at this position did not come to be there: it stands at `by`, or nowhere. False when none is at this position. */
  supersede(position: Position, by: Position | null): boolean {
    const message = this.#ordered.find((each) => each.position === position);
    if (!message) return false;
    this.#remove(message);
    if (by !== null) this.#insert({ ...message, position: by, persisted: true }, this.#placeOf(by));
    return true;
  }

  #apply({ messageId, change }: MessageChange): void {
    const message = this.#ordered.findLast((each) => each.id === messageId);
    if (!message) return;
    const changed = change(message);
    // It was lost and has come again, and this list was not told of that.
    if (changed.position === message.position) this.#replace(message, changed);
    else this.add(changed);
  }

  #isPersisted(message: Message): boolean {
    return this.#mark !== null && judge(this.#mark, message.position) === 'persisted';
  }

  /** Where the first message stands that is not before the position. Most come at the end. */
  #placeOf(position: Position): number {
    let at = this.#ordered.length;
    for (;;) {
      const before = this.#ordered[at - 1];
      if (!before || comparePositions(before.position, position) < 0) return at;
      at -= 1;
    }
  }

  #replace(message: Message, by: Message): void {
    this.#ordered = this.#ordered.with(this.#ordered.indexOf(message), by);
    this.#byKey.set(messageKey(by), by);
  }

  #insert(message: Message, at: number): void {
    this.#ordered = this.#ordered.toSpliced(at, 0, message);
    this.#byKey.set(messageKey(message), message);
  }

  #remove(message: Message): void {
    this.#ordered = this.#ordered.filter((each) => each !== message);
    this.#byKey.delete(messageKey(message));
  }
}
