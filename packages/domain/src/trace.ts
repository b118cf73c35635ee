import { formatPosition, type Position, parsePosition } from '@parley/protocol';

/** Asked of every node, by the topic for everybody: what it remembers of one entry. A node of an older build does not answer. */
export interface TraceQuestion {
  readonly type: 'trace';
  readonly channelId: string;
  readonly position: Position;
  /** The topic that answers are published to. */
  readonly replyTo: string;
}

/** `accepted`: this node put it into the log. `asked again`: its sender sent it to this node again. `fanned out`: to sockets of this node. */
export interface Sighting {
  readonly what: 'accepted' | 'asked again' | 'fanned out';
  /** By the node's clock, epoch milliseconds. */
  readonly at: number;
}

/** What one thread of one node remembers; it forgets the oldest when much happens. */
export interface TraceAnswer {
  readonly node: string;
  readonly sightings: readonly Sighting[];
}

/** A question; null when the text is another hint, or cannot be read. */
export function parseTraceQuestion(json: string): TraceQuestion | null {
  if (!json.startsWith('{"type":"trace"')) return null;
  try {
    const { channelId, position, replyTo } = JSON.parse(json) as Record<string, unknown>;
    if (typeof channelId !== 'string' || typeof replyTo !== 'string') return null;
    return { type: 'trace', channelId, position: formatPosition(parsePosition(String(position))), replyTo };
  } catch {
    return null; // Cut off, or by somebody else.
  }
}
