import type { MembersSnapshot } from './channel/channel-members.ts';
import type { ChannelSnapshot, ChannelView, OpenThread } from './channel/channel-view.ts';
import type { Store } from './store.ts';

/** A channel that somebody looks at. */
export interface OpenChannel {
  readonly store: Store<ChannelSnapshot>;
  /** Its members; idle until somebody watches them. */
  readonly members: Store<MembersSnapshot>;
  loadOlder(): Promise<void>;
  /** Keeps the members, with roles and cursors, until the returned function is called. */
  watchMembers(): () => void;
  openThread(messageId: string): OpenThread;
  /** The last one to close a channel ends its feed. */
  close(): void;
}

interface SharedView {
  readonly view: ChannelView;
  users: number;
}

/** The channels that are looked at: each has one view and one feed, however many look. */
export class OpenChannels {
  readonly #build: (channelId: string) => ChannelView;
  readonly #views = new Map<string, SharedView>();

  /** `build` makes a view, not yet running. */
  constructor(build: (channelId: string) => ChannelView) {
    this.#build = build;
  }

  open(channelId: string): OpenChannel {
    const shared = this.#views.get(channelId) ?? this.#start(channelId);
    const { view } = shared;
    shared.users += 1;
    let isOpen = true;
    return {
      store: view.store,
      members: view.members.store,
      loadOlder: () => view.loadOlder(),
      watchMembers: () => view.members.watch(),
      openThread: (messageId) => view.openThread(messageId),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        shared.users -= 1;
        if (shared.users > 0) return;
        view.stop();
        this.#views.delete(channelId);
      },
    };
  }

  /** The view of a channel that is open; undefined for any other. */
  get(channelId: string): ChannelView | undefined {
    return this.#views.get(channelId)?.view;
  }

  disconnected(): void {
    for (const { view } of this.#views.values()) view.disconnected();
  }

  stop(): void {
    for (const { view } of this.#views.values()) view.stop();
    this.#views.clear();
  }

  #start(channelId: string): SharedView {
    const shared = { view: this.#build(channelId), users: 0 };
    this.#views.set(channelId, shared);
    shared.view.run();
    return shared;
  }
}
