import type { Rate } from './token-bucket.ts';

/** What one door allows. */
export interface DoorLimits {
  readonly connections: number;
  /** Connections whose `createContext` has given them no identity yet. */
  readonly unauthenticated: number;
  readonly handshakes: Rate;
  /** A connection without an identity by then is closed. */
  readonly identityWithinMs: number;
  readonly frameMaxBytes: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly callsPerFrame: number;
  /** Feeds that one connection may hold open. A client opens them all again in one frame, so no more than `callsPerFrame`. */
  readonly feeds: number;
  /** A connection that sends faster is read more slowly; nothing is dropped. */
  readonly frames: Rate;
  readonly highWaterBytes: number;
  readonly slowBytes: number;
  readonly slowAfterMs: number;
  /** What all readers of a door leave waiting; above it those are closed who leave the most. */
  readonly waitingBytes: number;
}

export const DOOR_LIMITS: DoorLimits = {
  connections: 10_000,
  unauthenticated: 2_000,
  handshakes: { burst: 1_000, perSecond: 1_000 },
  identityWithinMs: 5_000,
  frameMaxBytes: 65_536,
  maxFragments: 16,
  maxBufferedChunks: 256,
  callsPerFrame: 128,
  feeds: 128,
  frames: { burst: 400, perSecond: 200 },
  highWaterBytes: 65_536,
  slowBytes: 1_048_576,
  slowAfterMs: 10_000,
  waitingBytes: 134_217_728,
};
