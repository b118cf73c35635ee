import {
  type ChannelView,
  eventFor,
  Failure,
  type FeedEntry,
  headOf,
  laterPlace,
  notFound,
  type ResyncReason,
  resumeClient,
  resumeFrom,
} from '@parley/domain';
import { type ChannelEvent, formatPosition, ORIGIN, type Place, type Position, parsePosition } from '@parley/protocol';
import type { EphemeralHub } from '../ephemeral/ephemeral-hub.ts';
import { EphemeralReader } from '../ephemeral/ephemeral-reader.ts';
import type { ChannelHub } from '../hub/channel-hub.ts';
import type { Hub } from '../hub/hub.ts';
import type { ReadDeps } from '../hub/read-after.ts';
import { authorise, endsMembership, readAuthorised } from './authorise.ts';
import type { FeedBeginnings } from './feed-beginnings.ts';
import type { FeedReader, Item, Reading } from './feed-reader.ts';
import { whileAway } from './while-away.ts';

export interface ChannelReaderDeps extends ReadDeps {
  readonly hub: Pick<Hub, 'attach' | 'detach'>;
  readonly ephemeral: Pick<EphemeralHub, 'attach'>;
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  /** Hears how a feed began, and how many entries it is given at once. */
  readonly began?: FeedBeginnings;
}

/** Whose feed it is, and what his client saw last. */
interface ChannelReading {
  readonly channelId: string;
  readonly userId: string;
  readonly lastEventId: Position | null;
}

const START: Place = { epoch: 0, n: 0 };

/** One member's place in a channel: nothing is kept for it but what a single read brought, and the same entries serve all. */
export class ChannelReader implements FeedReader<ChannelEvent> {
  readonly #deps: ChannelReaderDeps;
  readonly #member: ChannelReading;
  readonly #reading: Reading;
  readonly #ephemeral: EphemeralReader;
  #channel: ChannelHub | null = null;
  #closed = false;
  #ended = false;
  /** What comes before everything else: `opened`, `resync`. Null when there is nothing, as mostly; so is the next. */
  #first: Item<ChannelEvent>[] | null = null;
  /** What the last read brought and was not taken yet, and the place after it. */
  #stretch: FeedEntry[] | null = null;
  #stretchTip: Place = START;
  #at: Place = START;
  #id: Position = ORIGIN;
  /** The copy that authorises what is read; null at rest, since there are as many as feeds. */
  #view: ChannelView | null = null;
  /** Where the channel stood by the copy that authorised what is delivered. */
  #trusted: Place = this.#at;
  #noticed = 0;
  #resynced = 0;

  constructor(deps: ChannelReaderDeps, member: ChannelReading, reading: Reading) {
    this.#deps = deps;
    this.#member = member;
    this.#reading = reading;
    this.#ephemeral = new EphemeralReader(deps.ephemeral, reading);
  }

  /** Live first, then the right to it, then the past: whatever is published from here on is either read or found in the tail. */
  async open(): Promise<void> {
    const { channelId, lastEventId } = this.#member;
    const channel = this.#channel ?? (await this.#deps.hub.attach(channelId, this.#reading));
    if (this.#closed) {
      this.#deps.hub.detach(channelId, this.#reading);
      return;
    }
    this.#channel = channel;
    this.#noticed = channel.notices.board.version;
    this.#resynced = channel.resync.version;
    const view = await this.#authorise();
    await this.#ephemeral.open(channelId);
    this.#stand(view);
    const resync = await this.#resume(view, lastEventId);
    this.#deps.began?.(lastEventId === null ? 'head' : resync ? 'resync' : 'resumed', this.#stretch?.length ?? 0);
    const from = lastEventId ?? this.#id;
    this.#first = [{ id: from, event: this.#opened(this.#view ?? view, lastEventId !== null && resync === null) }];
    if (resync) this.#restart(this.#view ?? view, resync);
    this.#view = null;
  }

  /** Throws `NOT_FOUND` once the membership has ended. */
  take(): Item<ChannelEvent> | null {
    const channel = this.#live;
    for (;;) {
      if (this.#first !== null) return this.#takeFirst(this.#first);
      if (this.#ended) throw notFound();
      if (channel.resync.version !== this.#resynced) return null;
      const entry = this.#stretch?.shift() ?? channel.after(this.#at);
      if (entry === 'behind') return null;
      if (!entry) return this.#takeNotice();
      this.#pass(entry);
      // Whose feed it is need not be looked up to tell what everybody sees.
      const event = entry.reactors ? eventFor(entry, this.#member.userId) : entry.event;
      if (event) return { id: entry.id, event };
    }
  }

  get isEven(): boolean {
    const channel = this.#live;
    return channel.resync.version === this.#resynced && channel.after(this.#at) !== 'behind';
  }

  /** Finds what the tail cannot give: it was broken off, or this reader is too far behind it. */
  catchUp(): Promise<void> {
    const { clock } = this.#deps;
    return whileAway({ clock, signal: this.#reading.signal }, () => this.#catchUp());
  }

  /** When it fails it can be called again. */
  async #catchUp(): Promise<void> {
    const { version, reason } = this.#live.resync;
    const isBroken = version !== this.#resynced;
    const view = await this.#authorise();
    this.#resynced = version;
    const resync = isBroken ? reason : await this.#readOn(view);
    if (resync) this.#restart(this.#view ?? view, resync);
    this.#view = null;
  }

  close(): void {
    this.#closed = true;
    this.#ephemeral.close();
    if (this.#channel) this.#deps.hub.detach(this.#member.channelId, this.#reading);
  }

  get #live(): ChannelHub {
    if (!this.#channel) throw new Error('the feed is not open');
    return this.#channel;
  }

  async #authorise(): Promise<ChannelView> {
    let view = await authorise(this.#deps, this.#member);
    // The answer was on its way when others heard of a newer epoch.
    if (this.#isOver(view)) view = await authorise(this.#deps, this.#member);
    this.#trust(view);
    return view;
  }

  #isOver(view: ChannelView): boolean {
    return view.epoch < (this.#live.tail.tip?.epoch ?? 0);
  }

  #trust(view: ChannelView): void {
    if (this.#isOver(view)) throw new Failure('UNAVAILABLE', 'the log is changing hands', { retryAfterMs: 1_000 });
    this.#view = view;
    this.#trusted = headOf(view);
    this.#live.learn(view);
  }

  /** From here on, from the head. */
  #stand(view: ChannelView): void {
    this.#stretch = null;
    this.#stretchTip = headOf(view);
    this.#at = this.#stretchTip;
    this.#id = view.headPosition ?? ORIGIN;
  }

  async #resume(view: ChannelView, lastEventId: Position | null): Promise<ResyncReason | null> {
    const resume = resumeClient(lastEventId, view);
    if (resume.type === 'head') return null;
    if (resume.type === 'resync') return resume.reason;
    this.#at = resume.from;
    this.#id = lastEventId ?? ORIGIN;
    return this.#read(view);
  }

  async #readOn(view: ChannelView): Promise<ResyncReason | null> {
    const resume = resumeFrom(this.#at, view);
    if (resume.type === 'head') return null;
    return resume.type === 'resync' ? resume.reason : this.#read(view);
  }

  async #read(first: ChannelView): Promise<ResyncReason | null> {
    // Of an older epoch only positions are known, not where a reader stood that had nothing of it.
    const from = (view: ChannelView) => (this.#at.epoch === view.epoch ? this.#at : parsePosition(this.#id));
    const { reading, view } = await readAuthorised(this.#deps, this.#member, { view: first, from });
    if (this.#closed) return null;
    if (view !== first) this.#trust(view);
    if (reading.type === 'resync') return reading.reason;
    this.#stretch = reading.entries.length > 0 ? [...reading.entries] : null;
    this.#stretchTip = reading.tip;
    if (this.#stretch === null) this.#at = reading.tip;
    this.#live.reached(reading.tip);
    return null;
  }

  #restart(view: ChannelView, reason: ResyncReason): void {
    this.#stand(view);
    const { channelId } = this.#member;
    const event = { type: 'resync' as const, channelId, at: this.#deps.clock.now(), reason, head: view.headPosition };
    this.#first ??= [];
    this.#first.push({ id: this.#id, event });
  }

  #takeFirst(first: Item<ChannelEvent>[]): Item<ChannelEvent> | null {
    const item = first.shift() ?? null;
    if (first.length === 0) this.#first = null;
    return item;
  }

  #pass(entry: FeedEntry): void {
    if (this.#stretch?.length === 0) this.#stretch = null;
    this.#at = this.#stretch === null ? laterPlace(entry.place, this.#stretchTip) : entry.place;
    // Left behind: from here on it is one place for all readers.
    if (this.#stretch === null && this.#at === entry.place) this.#stretchTip = START;
    this.#id = entry.id;
    const { event } = entry;
    if (event?.type !== 'member.left' || event.userId !== this.#member.userId) return;
    this.#ended = endsMembership(entry.place, this.#trusted);
  }

  #takeNotice(): Item<ChannelEvent> | null {
    const pinned = this.#live.notices.board.after(this.#noticed);
    if (pinned) this.#noticed = pinned.version;
    const event = pinned?.notice.event ?? this.#ephemeral.take();
    return event && { id: this.#id, event };
  }

  #opened(view: ChannelView, resumed: boolean): ChannelEvent {
    const { epoch, persistedN } = view;
    return {
      type: 'opened',
      channelId: this.#member.channelId,
      at: this.#deps.clock.now(),
      epoch,
      head: view.headPosition,
      persistedTo: persistedN > 0 ? formatPosition({ epoch, n: persistedN }) : null,
      holes: view.holes.filter(({ n }) => n <= persistedN).map(({ n }) => formatPosition({ epoch, n })),
      resumed,
    };
  }
}
