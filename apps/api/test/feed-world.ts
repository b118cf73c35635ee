import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Broker,
  type BrokerEvents,
  type ChannelView,
  type CreatedPayload,
  formatPlace,
  type History,
  type LogPlace,
  type MemberPayload,
  messageOf,
  parseLine,
  type StoredChange,
  type StoredMessage,
  type Topic,
} from '@parley/domain';
import { type ChannelSummary, comparePositions, formatPosition, type Position } from '@parley/protocol';
import { createMetrics } from '@parley/runtime';
import type { EphemeralNotice } from '../src/ephemeral/ephemeral-channel.ts';
import { Press } from '../src/feeds/press.ts';
import { createHub, type Hub } from '../src/hub/hub.ts';
import { NoticeBoard } from '../src/hub/notice-board.ts';
import { RecentHistories } from '../src/hub/recent-histories.ts';

export const CHANNEL = 'c0000000-0000-4000-8000-000000000000';
export const ANN = 'a0000000-0000-4000-8000-000000000000';
export const BOB = 'b0000000-0000-4000-8000-000000000000';

/** Nobody types, and nobody comes or goes. */
export const quiet = { attach: async () => ({ board: new NoticeBoard<EphemeralNotice>(1), detach: () => undefined }) };

/** The log store's part of a channel: what is gone with it. */
interface Header {
  head: LogPlace;
  base: Position | null;
  persistedN: number;
  holes: { n: number; m: number }[];
  version: number;
  ranks: Map<string, number>;
  readTo: Map<string, LogPlace>;
}

/** What Postgres has of a channel. */
interface Stored {
  messages: StoredMessage[];
  changes: StoredChange[];
  version: number;
  ranks: Map<string, number>;
}

type Call = 'views' | 'after' | 'history' | 'load' | 'subscribe';

/**
 * One channel on a log store, Postgres and a bus, as the feeds see them through their ports. `on` runs something right before a call
 * is answered, so that a test can put anything between two steps.
 */
export class World {
  epoch = 1_000;
  now = 1_000_000;
  readonly calls: Call[] = [];
  header: Header | null;
  window: string[] = [];
  readonly stored: Stored;
  /** Publications that are lost. */
  loses: (line: string) => boolean = () => false;
  /** Publications that come twice. */
  doubles: (line: string) => boolean = () => false;
  /** Whether publications reach the hubs now, or wait for `deliver`. */
  holdsBack = false;
  #held: (() => void)[] = [];
  #unstored: string[] = [];
  readonly #hooks = new Map<Call, (() => void | Promise<void>)[]>();
  readonly #nodes = new Set<{ hub: BrokerEvents; topics: Map<string, number> }>();

  constructor(members: readonly string[] = [ANN, BOB]) {
    const ranks = new Map(members.map((userId) => [userId, 2]));
    this.stored = { messages: [], changes: [], version: 1, ranks };
    this.header = this.#fresh();
  }

  #fresh(): Header {
    const { version, ranks } = this.stored;
    const head = { epoch: this.epoch, n: 0, m: this.stored.messages.length, at: this.now };
    return {
      head,
      base: this.#lastStored(),
      persistedN: 0,
      holes: [],
      version,
      ranks: new Map(ranks),
      readTo: new Map(),
    };
  }

  #lastStored(): Position | null {
    const positions = [...this.stored.messages, ...this.stored.changes].map((row) => row.position);
    return positions.sort(comparePositions).at(-1) ?? null;
  }

  /** Runs once, when the next such call is about to be answered. */
  on(call: Call, work: () => void | Promise<void>): void {
    this.#hooks.set(call, [...(this.#hooks.get(call) ?? []), work]);
  }

  async #called(call: Call): Promise<void> {
    this.calls.push(call);
    await this.#hooks.get(call)?.shift()?.();
  }

  count(call: Call): number {
    return this.calls.filter((made) => made === call).length;
  }

  get head(): Position {
    return formatPosition(this.#live.head);
  }

  get #live(): Header {
    if (!this.header) throw new Error('no header');
    return this.header;
  }

  send(body: string, senderId = ANN, mentions: string[] = []): Position {
    const header = this.#live;
    const place = { epoch: this.epoch, n: header.head.n + 1, m: header.head.m + 1, at: ++this.now };
    const id = `m-${body}`;
    const payload: CreatedPayload = {
      id,
      channelId: CHANNEL,
      clientMsgId: `k-${body}`,
      senderId,
      body,
      replyTo: null,
      threadOf: null,
      attachmentIds: [],
      mentions,
      encrypted: null,
    };
    header.readTo.set(senderId, place);
    return this.#put('c', place, payload);
  }

  leave(userId: string, actorId = userId): Position {
    this.#live.ranks.delete(userId);
    return this.#change('l', userId, { rank: null, actorId });
  }

  join(userId: string): Position {
    this.#live.ranks.set(userId, 2);
    return this.#change('j', userId, { rank: 2, actorId: userId });
  }

  #change(kind: string, userId: string, what: { rank: number | null; actorId: string }): Position {
    const header = this.#live;
    header.version++;
    const place = { ...header.head, n: header.head.n + 1, at: ++this.now };
    const { version } = header;
    const payload: MemberPayload = { version, id: 'x', channelId: CHANNEL, userId, name: 'N', ...what };
    return this.#put(kind, place, payload);
  }

  #put(kind: string, place: LogPlace, payload: object): Position {
    const line = `1 ${kind} ${formatPlace(place)} ${JSON.stringify(payload)}`;
    this.#live.head = place;
    this.window.push(line);
    this.#unstored.push(line);
    this.publish(line);
    return formatPosition(place);
  }

  read(userId: string, place: LogPlace = this.#live.head): void {
    this.#live.readTo.set(userId, place);
    this.publish(`1 R ${formatPlace(place)} ${JSON.stringify({ userId })}`);
  }

  /** The drain: everything waiting goes to Postgres, except the `rejected` ones, which become holes; the mark is published. */
  persist(options: { rejected?: readonly Position[]; trimTo?: number } = {}): void {
    const header = this.header;
    for (const text of this.#unstored.splice(0)) this.#store(text, options.rejected ?? []);
    if (!header) return;
    header.persistedN = header.head.n;
    if (options.trimTo !== undefined) this.window = options.trimTo === 0 ? [] : this.window.slice(-options.trimTo);
    const holes = header.holes.map(({ n }) => formatPosition({ epoch: this.epoch, n }));
    this.publish(`1 P ${formatPlace(header.head)} ${JSON.stringify({ holes })}`);
  }

  #store(text: string, rejected: readonly Position[]): void {
    const line = parseLine(text);
    if (!line) throw new Error(`not a line: ${text}`);
    const position = formatPosition(line.place);
    const { at } = line.place;
    const message = messageOf(line, true);
    if (rejected.includes(position)) {
      this.stored.changes.push({
        position,
        kind: 'x',
        target: null,
        by: null,
        at,
        member: null,
        message: null,
        channel: null,
      });
      if (this.header && line.place.epoch === this.epoch) this.header.holes.push({ n: line.place.n, m: line.place.m });
    } else if (message) {
      this.stored.messages.push(message);
    } else {
      const { userId, rank, version } = JSON.parse(line.json) as MemberPayload;
      this.stored.changes.push({
        position,
        kind: line.kind,
        target: userId,
        by: null,
        at,
        member: null,
        message: null,
        channel: null,
      });
      this.stored.version = version;
      if (rank === null) this.stored.ranks.delete(userId);
      else this.stored.ranks.set(userId, rank);
    }
  }

  hole(position: Position, senderId = ANN): void {
    const [epoch, n] = position.split('-').map(Number);
    const payload = { senderId, clientMsgId: 'k', by: null, reason: 'refused' };
    this.publish(
      `1 H ${formatPlace({ epoch: epoch ?? 0, n: n ?? 0, m: 0, at: ++this.now })} ${JSON.stringify(payload)}`,
    );
  }

  /** The log store fails over: its last `lost` entries never were, the rest is drained, and a new epoch begins with no header. */
  failOver(options: { lost?: number; keepsWindow?: boolean; rejected?: readonly Position[] } = {}): void {
    const { lost = 0, keepsWindow = true } = options;
    if (lost > 0) this.#unstored = this.#unstored.slice(0, -lost);
    if (lost > 0) this.window = this.window.slice(0, -lost);
    this.header = null;
    for (const text of this.#unstored.splice(0)) this.#store(text, options.rejected ?? []);
    if (!keepsWindow) this.window = [];
    this.epoch += 10;
  }

  /** The log store loses its last entries and does not know it: nobody has opened a new epoch yet. */
  forget(entries: number): void {
    const header = this.#live;
    this.#unstored = this.#unstored.slice(0, -entries);
    this.window = this.window.slice(0, -entries);
    header.head = { ...header.head, n: header.head.n - entries, m: header.head.m - entries };
  }

  load(): void {
    this.header ??= this.#fresh();
  }

  publish(line: string): void {
    if (this.loses(line)) return;
    for (const node of this.#nodes) {
      if (!node.topics.has(CHANNEL)) continue;
      const deliver = () => node.hub.channel(CHANNEL, line);
      if (this.holdsBack) this.#held.push(deliver);
      else setImmediate(deliver);
      if (this.doubles(line)) setImmediate(deliver);
    }
  }

  /** Delivers what was held back. */
  deliver(): void {
    this.holdsBack = false;
    for (const deliver of this.#held.splice(0)) deliver();
  }

  tell(userId: string, hint: object): void {
    for (const node of this.#nodes) if (node.topics.has(userId)) node.hub.user(userId, JSON.stringify(hint));
  }

  view(userId: string): ChannelView | null {
    const { header } = this;
    if (!header) return null;
    const { head, base, persistedN, holes, version } = header;
    return {
      epoch: this.epoch,
      head,
      headPosition: head.n > 0 ? formatPosition(head) : base,
      persistedN,
      holes: [...holes],
      version,
      memberCount: header.ranks.size,
      archivedAt: null,
      amended: false,
      deleted: [],
      mentions: [],
      rank: header.ranks.get(userId) ?? null,
      readTo: header.readTo.get(userId) ?? null,
      deliveredTo: null,
    };
  }

  #history(query: { userId: string; after: Position; limit: number }): History {
    const { messages, changes, version, ranks } = this.stored;
    const isAfter = (row: { position: Position }) => comparePositions(row.position, query.after) > 0;
    const known =
      query.after === '0-0' ||
      [...messages, ...changes].some((row) => comparePositions(row.position, query.after) === 0);
    const found = { messages: messages.filter(isAfter), changes: changes.filter(isAfter) };
    const more = found.messages.length + found.changes.length > query.limit;
    const member = ranks.has(query.userId);
    return { epoch: this.epoch, member, version, known, expired: false, more, ...found };
  }

  readonly views = {
    views: async (userId: string, channelIds: readonly string[]) => {
      await this.#called('views');
      return channelIds.map(() => this.view(userId));
    },
    after: async (_channelId: string, position: Position, limit: number) => {
      await this.#called('after');
      const isAfter = (text: string) =>
        comparePositions(formatPosition(parseLine(text)?.place ?? NOWHERE), position) > 0;
      return this.window.filter(isAfter).slice(0, limit);
    },
  };

  readonly archive = {
    history: async (query: { channelId: string; userId: string; after: Position; limit: number }) => {
      await this.#called('history');
      return this.#history(query);
    },
  };

  readonly log = {
    renew: async () => undefined,
    load: async () => {
      await this.#called('load');
      this.load();
      return true;
    },
  };

  readonly clock = {
    now: () => this.now,
    // Pauses are real and short; that between two comparisons of heads is the shortest.
    sleep: (ms: number, signal?: AbortSignal) => sleep(ms > 25_000 ? 20 : ms / 20, undefined, signal ? { signal } : {}),
  };

  readonly histories = new RecentHistories(this.archive, this.clock);

  readonly logger = { warn: () => undefined };

  readonly press = new Press();

  get deps() {
    const { views, histories, log, clock, logger } = this;
    return { views, histories, log, clock, logger, ephemeral: quiet, press: this.press };
  }

  /** A thread with a hub of its own. `standsAfter`: its broker confirms subscriptions that do not stand before the next such call. */
  node(options: { standsAfter?: Call } = {}): Node {
    const hub = createHub({ ...this.deps, metrics: createMetrics() });
    const topics = new Map<string, number>();
    const keyOf = (topic: Topic) => {
      if ('everybody' in topic) return 'everybody';
      return 'userId' in topic ? topic.userId : topic.channelId;
    };
    const broker: Broker = {
      subscribe: async (topic) => {
        await this.#called('subscribe');
        const stand = () => void topics.set(keyOf(topic), (topics.get(keyOf(topic)) ?? 0) + 1);
        if (options.standsAfter) this.on(options.standsAfter, stand);
        else stand();
      },
      unsubscribe: (topic) => {
        const left = (topics.get(keyOf(topic)) ?? 0) - 1;
        if (left > 0) topics.set(keyOf(topic), left);
        else topics.delete(keyOf(topic));
      },
      tellUser: async () => undefined,
    };
    hub.connect(broker);
    this.#nodes.add({ hub, topics });
    return { hub, topics };
  }
}

const NOWHERE = { epoch: 0, n: 0 };

export interface Node {
  readonly hub: Hub;
  readonly topics: ReadonlyMap<string, number>;
}

/** The channel before anything was said in it. */
export const SUMMARY: ChannelSummary = {
  id: CHANNEL,
  kind: 'group',
  name: 'all',
  topic: null,
  avatarUrl: null,
  encrypted: false,
  memberCount: 2,
  createdAt: 1,
  archivedAt: null,
  role: 'member',
  head: null,
  readTo: null,
  unread: 0,
  mentions: 0,
  lastMessage: null,
  members: [],
  muted: false,
};
