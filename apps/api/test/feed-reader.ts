import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelEvent, InboxEvent, Position } from '@parley/protocol';
import { type FeedSink, PUSH } from '@parley/transport';
import { openChannelFeed } from '../src/feeds/channel-feed.ts';
import type { Feed } from '../src/feeds/feed.ts';
import { BOB, CHANNEL, type Node, type World } from './feed-world.ts';

/** What a slow reader has no room for waits until it is opened. */
export class Room {
  isOpen = false;
  #waiting: (() => void)[] = [];

  open(): void {
    this.isOpen = true;
    for (const callback of this.#waiting) callback();
  }

  wait(callback: () => void): void {
    this.#waiting.push(callback);
  }
}

/** Somebody to whom a feed is pushed, as fast as his room lets it. */
export class Reader<E extends ChannelEvent | InboxEvent = ChannelEvent> {
  readonly events: { id: string; event: E }[] = [];
  readonly ended: Promise<void>;
  failure: unknown;
  readonly #leaving = new AbortController();

  constructor(open: (signal: AbortSignal) => Feed<E>, room?: Room) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const sink: FeedSink = {
      get hasRoom() {
        return room?.isOpen ?? true;
      },
      whenRoom: (callback) => room?.wait(callback),
      push: (publication) => this.events.push({ id: publication.id, event: publication.data as E }),
      end: resolve,
      fail: (error) => {
        this.failure = error;
        resolve();
      },
    };
    const pushing = open(this.#leaving.signal)[PUSH](sink);
    this.#leaving.signal.addEventListener('abort', () => {
      pushing[Symbol.dispose]();
      resolve();
    });
  }

  types(): string[] {
    return this.events.map(({ event }) => event.type);
  }

  /** Bodies of the messages created, in the order they came. */
  bodies(): string[] {
    return this.events.flatMap(({ event }) => (event.type === 'message.created' ? [event.message.body] : []));
  }

  /** Waits until it is so, or fails with what was seen instead. */
  async until(isSo: (reader: this) => boolean, withinMs = 3_000): Promise<void> {
    for (let waited = 0; !isSo(this); waited += 2) {
      if (waited > withinMs)
        throw new Error(`did not come: ${JSON.stringify(this.events).slice(0, 2_000)} ${this.failure}`);
      await sleep(2);
    }
  }

  async leave(): Promise<void> {
    this.#leaving.abort(new Error('gone'));
    await this.ended;
  }
}

/** A channel feed of a member on a node. */
export function follow(
  world: World,
  node: Node,
  options: { userId?: string; lastEventId?: Position | null; room?: Room } = {},
): Reader {
  const { userId = BOB, lastEventId = null, room } = options;
  const open = openChannelFeed({ ...world.deps, hub: node.hub });
  const session = { userId, name: 'Bob' };
  return new Reader((signal) => open(session, { channelId: CHANNEL, lastEventId }, signal), room);
}

/** Lets everything that is on its way arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A feed of Bob's that has been opened, and its node. */
export async function opened(world: World, node = world.node()): Promise<{ reader: Reader; node: typeof node }> {
  const reader = follow(world, node);
  await reader.until(() => reader.events.length === 1);
  return { reader, node };
}
