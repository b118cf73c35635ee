import type { Position } from '@parley/protocol';
import type { LogPlace } from '../log-line.ts';

/** A header as it stands in the log store, with what it says is unread. */
export interface StandingHeader {
  readonly epoch: number;
  /** The newest position of all; null when the channel never had an entry. */
  readonly headPosition: Position | null;
  readonly members: ReadonlyMap<string, { readonly readTo: LogPlace | null; readonly unread: number }>;
}

/**
 * `forgotten`: header and window are gone, and are loaded anew when they are needed. `absent`: they were not there. `moved`: Postgres
 * does not have all of the channel, or something happened in it. `unflushed`: a cursor of it is still to be written to Postgres.
 */
export type ForgetVerdict = 'forgotten' | 'absent' | 'moved' | 'unflushed';

/** Which headers are in the log store, and since when. What is forgotten here is in Postgres: nothing can be lost. */
export interface HeaderRegister {
  /** Channels of a partition whose header was loaded, or looked at, before; the longest ago first. */
  due(partition: number, query: { beforeMs: number; limit: number }): Promise<string[]>;
  /** Loaded ones at random. */
  sample(partition: number, limit: number): Promise<string[]>;
  /** Forgets header and window when `head` is the channel's newest position and nothing happened in it since `quietSinceMs`. */
  forget(channelId: string, query: { head: Position | null; quietSinceMs: number }): Promise<ForgetVerdict>;
  /** These were looked at now, and stay. */
  keep(partition: number, channelIds: readonly string[], nowMs: number): Promise<void>;
  /** Null when there is no header. */
  header(channelId: string): Promise<StandingHeader | null>;
  /** Entries up to and with this one leave the window, and so does what else has words of them: they are no longer part of the channel's history. */
  trimWindow(channelId: string, upTo: Position): Promise<void>;
}
