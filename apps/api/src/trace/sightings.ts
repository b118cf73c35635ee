import { parseLine, type Sighting } from '@parley/domain';
import { type Place, type Position, parsePosition } from '@parley/protocol';

const KEPT = 4_096;

/**
 * Where the last entries that this thread accepted or fanned out stand, and when it did. It costs a few stores a publication, nothing a
 * delivery, and holds no words.
 */
export class Sightings {
  readonly #kept: number;
  readonly #channels: string[] = [];
  readonly #kinds: Sighting['what'][] = [];
  readonly #epochs: Float64Array;
  readonly #ns: Float64Array;
  readonly #times: Float64Array;
  #next = 0;

  constructor(kept = KEPT) {
    this.#kept = kept;
    this.#epochs = new Float64Array(kept);
    this.#ns = new Float64Array(kept);
    this.#times = new Float64Array(kept);
  }

  /** A publication; notices are none of an entry. */
  heard(channelId: string, line: string): void {
    const kind = line.charCodeAt(line.indexOf(' ') + 1);
    const isNotice = kind >= 65 && kind <= 90;
    const place = isNotice ? undefined : parseLine(line)?.place;
    if (place) this.seen(channelId, 'fanned out', place);
  }

  seen(channelId: string, what: Sighting['what'], { epoch, n }: Place): void {
    const at = this.#next;
    this.#channels[at] = channelId;
    this.#kinds[at] = what;
    this.#epochs[at] = epoch;
    this.#ns[at] = n;
    this.#times[at] = Date.now();
    this.#next = (at + 1) % this.#kept;
  }

  /** Oldest first. */
  of(channelId: string, position: Position): Sighting[] {
    const { epoch, n } = parsePosition(position);
    const found = this.#kinds.flatMap((what, at): Sighting[] => {
      const isIt = this.#channels[at] === channelId && this.#epochs[at] === epoch && this.#ns[at] === n;
      return isIt ? [{ what, at: this.#times[at] ?? 0 }] : [];
    });
    return found.sort((a, b) => a.at - b.at);
  }
}
