/**
 * Carries publications between nodes. A hint, never the truth: a publication may be lost, and what comes is in order per channel.
 * After a lost connection `suspect` is called once everything is subscribed again: whatever is cached must be compared.
 */
export interface Broker {
  /** Resolves when the store has confirmed it: what is published later arrives. Reference counted. */
  subscribe(topic: Topic): Promise<void>;
  unsubscribe(topic: Topic): void;
  /** Hints for one user's sessions on any node: `channel.added`, revocations. */
  tellUser(userId: string, json: string): Promise<void>;
}

export type Topic = { readonly channelId: string } | { readonly userId: string } | { readonly everybody: true };

/** Given to a broker when it is made. */
export interface BrokerEvents {
  channel(channelId: string, line: string): void;
  user(userId: string, json: string): void;
  /** An `EverybodyHint`. */
  everybody(json: string): void;
  suspect(): void;
}
