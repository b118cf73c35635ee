import { comparePlaces, laterPlace } from '@parley/domain';
import type { Place } from '@parley/protocol';

/** What was heard when somebody went to look. */
export interface Heard {
  readonly place: Place;
  readonly doubts: number;
}

/** What was said of a channel beyond what was delivered: the furthest place, and whether there is a doubt that no place expresses. */
export class Hearsay {
  #place: Place = { epoch: 0, n: 0 };
  #doubts = 0;
  #cleared = 0;

  get now(): Heard {
    return { place: this.#place, doubts: this.#doubts };
  }

  place(place: Place): void {
    this.#place = laterPlace(this.#place, place);
  }

  /** Something may have been missed. */
  doubt(): void {
    this.#doubts++;
  }

  /** Whether somebody has to look for what follows the tip. */
  goesBeyond(tip: Place): boolean {
    return this.#doubts > this.#cleared || comparePlaces(this.#place, tip) > 0;
  }

  /** Somebody looked, after all of this was heard, and found `head`: what lies beyond never came to be. */
  settle(heard: Heard, head: Place): void {
    this.#cleared = heard.doubts;
    if (this.#place === heard.place && comparePlaces(heard.place, head) > 0) this.#place = head;
  }
}
