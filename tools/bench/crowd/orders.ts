/** What the words of a system under test are: Parley and stock tRPC speak the same. */
export type Dialect = 'trpc' | 'socket-io' | 'plain';

/** Somebody with a connection. */
export interface ClientSpec {
  readonly port: number;
  /** Empty where nobody asks who it is. */
  readonly token: string;
  /** Of its subscription: tRPC's envelope carries it, so a spread of ids is a spread of envelopes. */
  readonly requestId: number;
  /** Opens the user's inbox, too. */
  readonly inbox?: boolean;
}

export interface ChannelSpec {
  readonly id: string;
  readonly subscribers: readonly ClientSpec[];
  /** Who sends in turn, on connections that get nothing; empty: the subscribers themselves. */
  readonly senders: readonly ClientSpec[];
  /** A channel of Parley that the senders send into instead, whatever the subscribers speak: a peer hears of it as an api does. */
  readonly sendTo?: string;
}

/** A crowd of one system under test. */
export interface GroupSpec {
  readonly name: string;
  readonly dialect: Dialect;
  readonly channels: readonly ChannelSpec[];
  /** Messages are published here, under the channels' ids, instead of being sent over sockets; `@@` in the text stands for the body. */
  readonly publish?: { readonly port: number; readonly text: string };
}

/** Who sends how. `awake`: the clients' process never sleeps meanwhile, so that no sender's write has to wake it. */
export type RunSpec =
  | { readonly kind: 'one at a time'; readonly group: string; readonly messages: number; readonly awake?: boolean }
  | { readonly kind: 'in flight'; readonly group: string; readonly messages: number; readonly inFlight: number }
  | { readonly kind: 'paced'; readonly group: string; readonly perSecond: number; readonly forMs: number };

export interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What became of the messages of a run. */
export interface RunResult {
  readonly messages: number;
  readonly deliveries: number;
  /** Deliveries that did not come within 20 s of the last one that did. */
  readonly lost: number;
  readonly doubled: number;
  /** Deliveries that came after a later message of the same channel, told by its position. */
  readonly disordered: number;
  readonly refused: number;
  readonly firstRefusal: string;
  /** Frames that carried no message and no answer: marks, presence, pings. */
  readonly otherFrames: number;
  /** Bytes of the last delivered frame's payload. */
  readonly frameBytes: number;
  /** A delivered frame's payload, as it came. */
  readonly sampleFrame: string;
  /** From the first send to the last delivery. */
  readonly tookMs: number;
  readonly ackMs: Times;
  /** From when a message was due to be sent to each of its deliveries. */
  readonly deliveryMs: Times;
  /** This process's own share of one core meanwhile: near 1 it is the bottleneck itself. */
  readonly ownLoad: number;
}

/** What became of a crowd whose sockets were cut all at once. */
export interface StormResult {
  readonly clients: number;
  /** Until each had its feed open again, and until it had everything that was sent meanwhile. */
  readonly allBackMs: number;
  readonly allCaughtUpMs: number;
  readonly run: RunResult;
}

/** What the crowd's process is told to do. */
export type Order =
  | { readonly do: 'open'; readonly group: GroupSpec }
  | { readonly do: 'run'; readonly run: RunSpec }
  | {
      readonly do: 'storm';
      readonly group: string;
      readonly perSecond: number;
      readonly forMs: number;
      readonly cutAfterMs: number;
    }
  | { readonly do: 'close'; readonly group: string };

export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };
