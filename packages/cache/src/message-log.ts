import {
  type Amendment,
  type Draft,
  type Known,
  type MemberChange,
  type MessageLog,
  parsePlace,
  type Verdict,
} from '@parley/domain';
import type { Position } from '@parley/protocol';
import type { Epochs } from './epochs.ts';
import type { HeaderLoad } from './header-load.ts';
import { answerKey, epochKey, headerKey, type Keys, logKey, statesKey, windowKey } from './keys.ts';
import { isNoScript, type LogStore } from './log-store.ts';
import { readScript } from './script.ts';

interface RedisMessageLogOptions {
  readonly store: LogStore;
  readonly epochs: Epochs;
  readonly headers: HeaderLoad;
  readonly keys: Keys;
  /** Holds an answer back until enough replicas have what was written. */
  readonly replicas: { confirmed(): Promise<void> | undefined };
  /** Sends are refused while it is full. */
  readonly memory?: { readonly full: boolean };
}

interface Operation {
  readonly channelId: string;
  readonly actorId: string;
  readonly operationId: string;
}

const EPOCH: Verdict = { type: 'epoch' };
const BACKPRESSURE: Verdict = { type: 'backpressure' };
const FORGET_ANSWER = readScript('forget-answer');

/** The message log on Redis: one call is one `EVALSHA` on the log store. */
export class RedisMessageLog implements MessageLog {
  readonly renew: () => Promise<void>;
  readonly load: (channelId: string) => Promise<boolean>;
  readonly #store: LogStore;
  readonly #epochs: Epochs;
  readonly #keys: Keys;
  readonly #replicas: RedisMessageLogOptions['replicas'];
  readonly #memory: { readonly full: boolean };

  constructor({ store, epochs, headers, keys, replicas, memory = { full: false } }: RedisMessageLogOptions) {
    this.renew = epochs.renew;
    this.load = headers.load;
    this.#store = store;
    this.#epochs = epochs;
    this.#keys = keys;
    this.#replicas = replicas;
    this.#memory = memory;
  }

  /** All partitions share one epoch: one opening covers every partition of the server. */
  epochOf(_channelId: string): number {
    return this.#epochs.current.epoch;
  }

  async accept(draft: Draft): Promise<Verdict> {
    const { channelId, senderId, clientMsgId, messageId, json, threadOf, known, mentions = [] } = draft;
    const sha = this.#epochs.peek?.scripts.accept.sha;
    if (sha === undefined) return EPOCH;
    // Member changes are few, and a kick must get through.
    if (this.#memory.full) return BACKPRESSURE;
    const keys = this.#keysOf({ channelId, actorId: senderId, operationId: clientMsgId });
    const args: (string | number)[] = [senderId, messageId, json];
    // Most messages are neither: then nothing of it crosses the wire.
    if (threadOf !== undefined || mentions.length > 0) args.push(threadOf ?? '', ...knownArguments(known), ...mentions);
    if (threadOf !== undefined) keys.push(statesKey(this.#keys.stemOf(channelId), channelId));
    return this.#append(sha, keys, args);
  }

  async change(change: MemberChange): Promise<Verdict> {
    const sha = this.#epochs.peek?.scripts.change.sha;
    if (sha === undefined) return EPOCH;
    const { actorId, operationId, kind, userId, rank, leastRank, json, silencedUntil, admitted } = change;
    const args = [
      actorId,
      operationId,
      kind,
      userId,
      rank ?? '',
      leastRank,
      json,
      silencedUntil ?? '',
      admitted ? 1 : 0,
    ];
    return this.#append(sha, this.#keysOf(change), args);
  }

  async amend(amendment: Amendment): Promise<Verdict> {
    const sha = this.#epochs.peek?.scripts.amend.sha;
    if (sha === undefined) return EPOCH;
    const { channelId, actorId, operationId, leastRank, json, known } = amendment;
    const { kind, target, value, sign } = amendArguments(amendment);
    const keys = [...this.#keysOf(amendment), statesKey(this.#keys.stemOf(channelId), channelId)];
    const args = [actorId, operationId, kind, target, value, sign, leastRank, json, ...knownArguments(known)];
    return this.#append(sha, keys, args);
  }

  async forgetAnswer(operation: Operation & { position: Position }): Promise<void> {
    const key = answerKey(this.#keys.stemOf(operation.channelId), operation);
    await this.#store.eval(FORGET_ANSWER, { keys: [key], args: [operation.position] });
  }

  #keysOf(operation: Operation): string[] {
    const { channelId } = operation;
    const stem = this.#keys.stemOf(channelId);
    return [
      epochKey(stem),
      answerKey(stem, operation),
      headerKey(stem, channelId),
      windowKey(stem, channelId),
      logKey(stem),
    ];
  }

  async #append(sha: string, keys: string[], args: (string | number)[]): Promise<Verdict> {
    let reply: unknown;
    try {
      reply = await this.#store.evalsha(sha, { keys, args });
    } catch (error) {
      if (isNoScript(error)) return EPOCH;
      throw error;
    }
    const verdict = verdictOf(reply as Reply);
    // A resend's answer says no less than the first one: it waits, too.
    if (verdict.type === 'accepted' || verdict.type === 'duplicate') await this.#replicas.confirmed();
    return verdict;
  }
}

function knownArguments(known: Known | undefined): [epoch: string | number, states: string] {
  return known ? [known.epoch, JSON.stringify(known.states)] : ['', ''];
}

function amendArguments({ channelId, change }: Amendment) {
  const sign = (is: boolean | null) => (is === null ? '' : is ? '+' : '-');
  switch (change.kind) {
    case 'e':
      return { kind: change.kind, target: change.messageId, value: change.body, sign: '' };
    case 'd':
      return { kind: change.kind, target: change.messageId, value: '', sign: '' };
    case 'r':
      return { kind: change.kind, target: change.messageId, value: change.emoji, sign: sign(change.added) };
    case 'h':
      return {
        kind: change.kind,
        target: channelId,
        value: JSON.stringify(change.fields),
        sign: sign(change.archived),
      };
  }
}

type Reply =
  | [type: 'accepted', place: string, waiting: number]
  | [type: 'duplicate', answer: string, settled: 0 | 1]
  | [type: 'silenced', until: string]
  | [type: 'gone', place: string, settled?: 0 | 1]
  | [type: Exclude<Verdict['type'], 'accepted' | 'duplicate' | 'silenced' | 'gone' | 'standing'>];

function verdictOf(reply: Reply): Verdict {
  switch (reply[0]) {
    case 'accepted':
      return { type: 'accepted', place: placeIn(reply[1]), first: reply[2] === 0 };
    case 'duplicate': {
      const [answer, space] = [reply[1], reply[1].indexOf(' ')];
      return {
        type: 'duplicate',
        id: answer.slice(0, space),
        place: placeIn(answer.slice(space + 1)),
        settled: reply[2] === 1,
      };
    }
    case 'silenced':
      return { type: 'silenced', untilMs: Number(reply[1]) };
    case 'gone':
      return { type: 'gone', place: placeIn(reply[1]), settled: reply[2] === 1 };
    default:
      return { type: reply[0] };
  }
}

function placeIn(text: string) {
  const place = parsePlace(text);
  if (!place) throw new Error(`not a place: ${text}`);
  return place;
}
