import type { Position } from '@parley/protocol';

/** What nobody has to know: the presence of all, or who types in a channel. */
export type EphemeralTopic = 'presence' | { readonly typingIn: string };

/** Carries what may be lost between nodes. After a lost connection `suspect` is called once everything is subscribed again. */
export interface EphemeralBroker {
  /** Listens from now on, or from when the store is there; the function ends it, once. Never fails. Reference counted. */
  listen(topic: EphemeralTopic): () => void;
}

/** Given to a broker when it is made. */
export interface EphemeralEvents {
  /** `PresenceChange`s as JSON; see `parsePresenceChanges`. */
  presence(json: string): void;
  /** A `TypingSignal` as JSON; see `parseTypingSignal`. */
  typing(channelId: string, json: string): void;
  suspect(): void;
}

/** What is published when somebody begins to type, goes on typing, or stops. */
export interface TypingSignal {
  readonly userId: string;
  readonly typing: boolean;
  /** How far he had read, and so what he had sent, when he said so: what he sent later has ended it. Null: nothing. */
  readonly after: Position | null;
}

/** Tells every node. A hint that may be lost: it ends by itself. */
export interface TypingSignals {
  /** Gives how long it holds in milliseconds, 0 when he does not type. Repeated too soon it is not published again. Throws `UNAVAILABLE`. */
  say(channelId: string, signal: TypingSignal): Promise<number>;
}
