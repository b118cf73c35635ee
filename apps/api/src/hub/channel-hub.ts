import {
  type ChannelView,
  Failure,
  type FeedEntry,
  type FeedNotice,
  headOf,
  isNotice,
  type LogLine,
  laterPlace,
  parseLine,
  type ResyncReason,
  stepFrom,
} from '@parley/domain';
import type { Place } from '@parley/protocol';
import type { BusyWindow } from './busy-window.ts';
import { ChannelNotices, canWait } from './channel-notices.ts';
import { ChannelTail } from './channel-tail.ts';
import { type Bridge, bridge } from './fill.ts';
import { type Heard, Hearsay } from './hearsay.ts';
import type { HubMeasure } from './hub-metrics.ts';
import { InCommon } from './in-common.ts';
import { pause } from './pause.ts';
import { type ReadDeps, readEntry } from './read-after.ts';
import { viewOf } from './view-of.ts';
import { WakeUp } from './wake-up.ts';

export interface ChannelHubDeps extends ReadDeps, HubMeasure {
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly window: BusyWindow;
}

const FILL_RETRY_MS = 100;
const FILL_RETRY_MAX_MS = 2_000;

/**
 * One channel on this thread, while anybody here listens to it. It is in one of three modes: *unbased* (no view was read since the
 * subscription: it only hears), *even* (everything up to the tip was delivered), *filling* (something between the tip and `heard` is
 * missing; one fill at a time, and what is published meanwhile is found by it). Listeners pull: they are woken, and ask for what is
 * after the place they stand at.
 */
export class ChannelHub {
  readonly channelId: string;
  readonly tail = new ChannelTail();
  readonly notices = new ChannelNotices();
  readonly inCommon = new InCommon();
  readonly #deps: ChannelHubDeps;
  readonly wakeUp: WakeUp;
  readonly #closed = new AbortController();
  readonly #hearsay = new Hearsay();
  /** The furthest place that a feed was served, from a window. */
  #reached: Place = { epoch: 0, n: 0 };
  #resync: { version: number; reason: ResyncReason } = { version: 0, reason: 'behind' };
  #filling = false;

  constructor(deps: ChannelHubDeps, channelId: string) {
    this.#deps = deps;
    this.channelId = channelId;
    this.wakeUp = new WakeUp(deps.window);
  }

  /** Its version rises whenever what was delivered cannot be continued or was taken back: each feed begins anew at the head. */
  get resync(): { readonly version: number; readonly reason: ResyncReason } {
    return this.#resync;
  }

  /** The first entry after a place; see `EntryRing.after`. */
  after(place: Place): FeedEntry | undefined | 'behind' {
    return this.tail.after(place);
  }

  /** A line that was published. */
  publication(text: string): void {
    const line = parseLine(text);
    if (!line) this.#unreadable({ reason: 'no line' });
    else if (isNotice(line)) this.#notice(line);
    else this.#entry(line);
  }

  /** A view that was read after the subscription was confirmed. */
  learn(view: ChannelView): void {
    const { tip } = this.tail;
    if (!tip) {
      this.#base(view);
      return;
    }
    // A newer epoch's marks count once the older one is told to its end.
    if (view.epoch === tip.epoch) this.#look(view, tip);
    if (view.epoch >= tip.epoch) this.#hear(headOf(view));
  }

  /**
   * A view that was read after `before` had been delivered: a head below that means that the log store has forgotten. None, or one of
   * an epoch that is over, says nothing: then the channel looks for itself until it knows.
   */
  compare(view: ChannelView | null, before: Place | null): void {
    if (!view || view.epoch < (this.tail.tip?.epoch ?? 0)) {
      this.#hearsay.doubt();
      this.#fillIfBehind();
      return;
    }
    const forgot = before !== null && view.epoch === before.epoch && view.head.n < before.n;
    if (forgot) this.breakOff('ahead', view);
    else if (this.tail.tip) this.learn(view);
    // The view that will be its base may have been read before this one, and what lies between was perhaps lost.
    else this.#hear(headOf(view));
  }

  /** A view of which only the marks are used: a watcher alone needs no tail. */
  observe(view: ChannelView): void {
    if (this.tail.tip) this.learn(view);
    else this.notices.marks.look(view, view.head.n);
  }

  /** A feed was served up to here from a window: when the epoch ends, this place must be asked about, too. */
  reached(place: Place): void {
    this.#reached = laterPlace(this.#reached, place);
    this.#hear(place);
  }

  /** Nobody listens any more. */
  close(): void {
    this.#closed.abort();
  }

  #base(view: ChannelView): void {
    this.#reached = this.tail.base(view);
    this.notices.look(view, this.channelId, this.#reached.n);
    this.wakeUp.ring();
    this.#hear(this.#reached);
  }

  #entry(line: LogLine): void {
    const { place } = line;
    const { tip } = this.tail;
    const step = tip && !this.#filling ? stepFrom(tip, place) : 'gap';
    if (step === 'repeat') {
      this.#deps.count('repeat');
    } else if (step === 'next') {
      // A live entry is not persisted yet, and holes come later than what they take back.
      const entry = readEntry(this.#deps, line, { epoch: place.epoch, persistedN: 0, holes: [] });
      this.tail.append(entry);
      this.#deps.delivered(entry, this.wakeUp.listeners.size);
      this.wakeUp.ring();
    } else {
      if (tip && !this.#filling) this.#deps.count('gap');
      this.#hear(place);
      // Who is not based looks for himself.
      if (!tip) this.wakeUp.ring();
    }
  }

  #notice(line: LogLine): void {
    const notice = this.#readNotice(line);
    if (!notice) return;
    if (canWait(notice)) this.wakeUp.ringSoon();
    else this.wakeUp.ring();
    // It speaks of an entry that was published before it: if that is not here, it was lost on the way.
    this.#hear(notice.place);
  }

  #readNotice(line: LogLine): FeedNotice | null {
    try {
      return this.notices.take(this.channelId, line);
    } catch (error) {
      this.#unreadable({ err: error, kind: line.kind });
      return null;
    }
  }

  #unreadable(detail: object): void {
    this.#deps.count('unreadable');
    this.#deps.logger.warn({ channelId: this.channelId, ...detail }, 'a publication cannot be read');
  }

  #hear(place: Place): void {
    this.#hearsay.place(place);
    this.#fillIfBehind();
  }

  #fillIfBehind(): void {
    if (this.#filling || !this.#isBehind()) return;
    this.#filling = true;
    void this.#fill();
  }

  #isBehind(): boolean {
    const { tip } = this.tail;
    return tip !== null && this.#hearsay.goesBeyond(tip) && !this.#closed.signal.aborted;
  }

  async #fill(): Promise<void> {
    for (let pauseMs = FILL_RETRY_MS; this.tail.tip && this.#isBehind(); ) {
      const heard = this.#hearsay.now;
      try {
        await this.#fillOnce(this.tail.tip, heard);
        pauseMs = FILL_RETRY_MS;
      } catch (error) {
        await this.#putOff(error, heard, pauseMs);
        pauseMs = Math.min(pauseMs * 2, FILL_RETRY_MAX_MS);
      }
    }
    // In one step with the last look: what is heard from now on begins another.
    this.#filling = false;
  }

  async #putOff(error: unknown, heard: Heard, pauseMs: number): Promise<void> {
    const { clock, count, logger } = this.#deps;
    // The channel is gone: nothing of it can be missing.
    if (error instanceof Failure && error.code === 'NOT_FOUND') return this.#hearsay.settle(heard, { epoch: 0, n: 0 });
    count('fill_failed');
    logger.warn({ err: error, channelId: this.channelId }, 'a gap cannot be filled yet');
    await pause(clock, pauseMs * (0.5 + Math.random()), this.#closed.signal);
  }

  async #fillOnce(tip: Place, heard: Heard): Promise<void> {
    const { channelId } = this;
    const view = await viewOf(this.#deps, channelId);
    const { last } = this.tail;
    const query = { channelId, view, tip, last, heard: heard.place, reached: this.#reached, marks: this.notices.marks };
    const found = await bridge(this.#deps, query);
    // Broken off while it was on its way, or left by all.
    if (this.tail.tip !== tip || this.#closed.signal.aborted) return;
    if (found.type === 'resync') this.breakOff(found.reason, view);
    else this.#take(found, view);
    this.#hearsay.settle(heard, headOf(view));
  }

  #take(found: Extract<Bridge, { type: 'entries' }>, view: ChannelView): void {
    this.tail.extend(found.entries, found.tip, view);
    for (const entry of found.entries) if (entry.hole) this.notices.marks.hole(entry.place);
    this.#deps.filled(found.entries, this.wakeUp.listeners.size);
    if (found.tip.epoch === view.epoch) this.#look(view, found.tip);
    this.wakeUp.ring();
  }

  #look(view: ChannelView, tip: Place): void {
    const { rose, untold } = this.notices.look(view, this.channelId, tip.n);
    if (untold) this.breakOff('behind', null);
    else if (rose) this.wakeUp.ring();
  }

  /** `view` null: feeds go on from where the tail is; only what they were told before is in doubt. */
  breakOff(reason: ResyncReason, view: ChannelView | null): void {
    this.#resync = { version: this.#resync.version + 1, reason };
    this.#deps.resync(reason);
    if (view) this.#base(view);
    else this.tail.forgetNewest();
    this.wakeUp.ring();
  }
}
