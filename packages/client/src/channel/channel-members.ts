import { type Answer, type ChannelEvent, type Member, PAGE_MAX } from '@parley/protocol';
import type { ChatApi } from '../chat-api.ts';
import type { ClientClock } from '../clock.ts';
import { failureOf } from '../failure.ts';
import type { People } from '../people.ts';
import { type Random, retryDelayMs } from '../retry-delay.ts';
import { createStore, type Store } from '../store.ts';
import { membersAfter, risen } from './member-change.ts';

/** Of a channel with more members only the first ones are here. */
const MEMBERS_MAX = 1_000;

export interface MembersSnapshot {
  /** `idle`: nobody has asked for them. */
  readonly state: 'idle' | 'loading' | 'ready';
  /** In the order in which they joined, with their roles and cursors. */
  readonly members: readonly Member[];
  /** False when there are more. */
  readonly isWhole: boolean;
}

export const NO_MEMBERS: MembersSnapshot = { state: 'idle', members: [], isWhole: true };

export interface ChannelMembersOptions {
  readonly channelId: string;
  readonly api: ChatApi;
  readonly people: People;
  readonly clock: ClientClock;
  readonly random: Random;
  readonly onProblem: (error: unknown) => void;
}

/** A load that is under way, and what events told since it began: what it brings may be older. */
interface Loading {
  readonly meanwhile: ChannelEvent[];
  attempts: number;
}

/**
 * Who is in a channel and how far each has come, for as long as somebody wants to know. Cursors take no position in the feed: what was
 * told while it was away is asked for whenever it opens again.
 */
export class ChannelMembers {
  readonly #options: ChannelMembersOptions;
  readonly #snapshot = createStore(NO_MEMBERS);
  #watchers = 0;
  #loading: Loading | null = null;
  #cancelRetry: () => void = () => undefined;

  constructor(options: ChannelMembersOptions) {
    this.#options = options;
  }

  get store(): Store<MembersSnapshot> {
    return this.#snapshot;
  }

  /** Loads the members, and keeps them as they are until the returned function is called. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#load();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#watchers -= 1;
      if (this.#watchers === 0) this.stop();
    };
  }

  stop(): void {
    this.#loading = null;
    this.#cancelRetry();
    this.#snapshot.set(NO_MEMBERS);
  }

  take(event: ChannelEvent): void {
    if (this.#watchers === 0) return;
    if (event.type === 'opened' || event.type === 'resync') {
      this.#load();
      return;
    }
    this.#loading?.meanwhile.push(event);
    const before = this.#snapshot.getSnapshot();
    const members = membersAfter(before.members, event);
    if (members !== before.members) this.#snapshot.set({ ...before, members });
  }

  #load(): void {
    const loading: Loading = { meanwhile: [], attempts: 0 };
    this.#loading = loading;
    this.#cancelRetry();
    const before = this.#snapshot.getSnapshot();
    if (before.state === 'idle') this.#snapshot.set({ ...before, state: 'loading' });
    void this.#attempt(loading);
  }

  async #attempt(loading: Loading): Promise<void> {
    const { clock, random, people, onProblem } = this.#options;
    try {
      const { members, isWhole } = await this.#pages(loading);
      if (this.#loading !== loading) return;
      this.#loading = null;
      people.learn(members.map((member) => member.user));
      const known = new Map(this.#snapshot.getSnapshot().members.map((member) => [member.userId, member]));
      const loaded: readonly Member[] = members.map((member) => risen(member, known.get(member.userId) ?? member));
      this.#snapshot.set({ state: 'ready', members: loading.meanwhile.reduce(membersAfter, loaded), isWhole });
    } catch (error) {
      if (this.#loading !== loading) return;
      const failure = failureOf(error);
      if (failure && !failure.retryable) return onProblem(error);
      const delayMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(loading.attempts, random);
      loading.attempts += 1;
      this.#cancelRetry = clock.after(delayMs, () => void this.#attempt(loading));
    }
  }

  async #pages(loading: Loading): Promise<Pick<MembersSnapshot, 'members' | 'isWhole'>> {
    const { api, channelId } = this.#options;
    const members: Member[] = [];
    let cursor: string | null = null;
    do {
      const after: { cursor?: string } = cursor === null ? {} : { cursor };
      const page: Answer<'member.list'> = await api.call('member.list', { channelId, limit: PAGE_MAX, ...after });
      members.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && members.length < MEMBERS_MAX && this.#loading === loading);
    return { members, isWhole: cursor === null };
  }
}
