import type { Actor, Cast, Scene } from './cast.ts';
import { planCrowd, sendRates } from './crowd.ts';
import { wordFor } from './failures.ts';
import { Ledger } from './ledger.ts';
import { type Meter, Pulse } from './pulse.ts';
import type { Books, Session } from './session.ts';

/** The variables of a scenario file: what a crowd is like, and what it does. */
export interface Knobs {
  /** Visits, each of another user: as many as the phases let arrive. */
  readonly users: number;
  /** Of all phases together. */
  readonly seconds: number;
  readonly coolDownSeconds: number;
  readonly spikeAtSecond: number;
  readonly spikeSeconds: number;
  /** How much more everybody does during the spike. */
  readonly spikeFactor: number;
  /** What a user sends on average; some send far more, most send less. */
  readonly sendsPerMinute: number;
  /** How often a user looks at something else: a list, a page of history, a search. */
  readonly looksPerMinute: number;
  readonly channelsPerUser: number;
  readonly openChannels: number;
  readonly membersMax: number;
  readonly sizeExponent: number;
  readonly activityExponent: number;
  /** After so long, on average, a user leaves and comes again. */
  readonly sessionSeconds: number;
  /** Of the exact scenarios: what each user sends, and how often his line is cut. */
  readonly messages: number;
  readonly cuts: number;
}

/** What Artillery hands to a function of a processor. */
export interface Context {
  readonly vars: Knobs & { readonly target: string; cast?: Cast };
}

/** One user's place in the run. */
export interface Seat {
  readonly index: number;
  readonly actor: Actor;
  /** His channels, the busiest first, with how often he sends there, a second. */
  readonly scenes: readonly { readonly scene: Scene; readonly perSecond: number }[];
}

/** Faster than that a user would meet the default limit of 60 messages a minute, spike or not. */
const SENDS_PER_SECOND_MAX = 0.4;
const FORGET_SENT_MS = 60_000;

/** The channels that a scenario's users will be in. */
export function planOf(knobs: Knobs) {
  return planCrowd(knobs, Math.random);
}

/** What all visits of a run share. Artillery must run them in one thread: they are measured on one clock. */
export class Stage {
  readonly url: string;
  readonly knobs: Knobs;
  readonly books: Books;
  unreadWrong = 0;
  accepted = 0;
  readonly #began = performance.now();
  readonly #cast: Cast;
  readonly #seats: Seat[];
  readonly #gates = new Map<string, { count: number; opened: PromiseWithResolvers<void> }>();
  #entered = 0;
  #left = 0;
  #failed = 0;

  constructor(vars: Context['vars'], meter: Meter) {
    if (!vars.cast) throw new Error('there is no cast: the scenario file must call `prepare` in its `before`');
    this.url = vars.target;
    this.knobs = vars;
    this.#cast = vars.cast;
    this.books = { ledger: new Ledger(), pulse: new Pulse(process.env.PARLEY_LOAD_PULSE), sent: new Map() };
    this.books.pulse.run(meter);
    this.#seats = seatsOf(vars.cast, vars);
    setInterval(() => this.#forget(), FORGET_SENT_MS / 2).unref();
  }

  /** Seconds since the first arrival. */
  get second(): number {
    return (performance.now() - this.#began) / 1_000;
  }

  /** What everybody does now, as a multiple of what he does at other times. */
  get pace(): number {
    const { spikeAtSecond, spikeSeconds, spikeFactor } = this.knobs;
    const since = this.second - spikeAtSecond;
    return since >= 0 && since < spikeSeconds ? spikeFactor : 1;
  }

  /** Lets one user play his part. The last to leave closes the books. */
  async play(part: (stage: Stage, seat: Seat) => Promise<void>): Promise<void> {
    const seat = this.#seats[this.#entered++];
    if (!seat) throw new Error('more arrivals than `users`');
    try {
      await part(this, seat);
    } catch (error) {
      this.#failed++;
      this.books.pulse.error(`visit: ${wordFor(error)}`);
      for (const name of this.#gates.keys()) this.#openIfAllThere(name);
      throw error;
    } finally {
      if (++this.#left === this.#cast.actors.length) this.#end();
    }
  }

  /** Resolves when everybody has come to this point; those who failed are not waited for. */
  all(name: string): Promise<void> {
    const gate = this.#gates.get(name) ?? { count: 0, opened: Promise.withResolvers<void>() };
    this.#gates.set(name, gate);
    gate.count++;
    this.#openIfAllThere(name);
    return gate.opened.promise;
  }

  #openIfAllThere(name: string): void {
    const gate = this.#gates.get(name);
    if (gate && gate.count + this.#failed >= this.#cast.actors.length) gate.opened.resolve();
  }

  #forget(): void {
    const before = performance.now() - FORGET_SENT_MS;
    for (const [clientMsgId, { at }] of this.books.sent) {
      if (at > before) return;
      this.books.sent.delete(clientMsgId);
    }
  }

  #end(): void {
    const { ledger, pulse } = this.books;
    const { accepted, unreadWrong } = this;
    pulse.end({ tally: ledger.tally(), accepted, failedVisits: this.#failed, unreadWrong });
  }
}

function seatsOf({ actors, scenes }: Cast, knobs: Knobs): Seat[] {
  const plan = scenes.map(({ members, share }) => ({ owner: 0, members, share }));
  const perSecond = (knobs.sendsPerMinute * actors.length) / 60;
  const rates = sendRates(plan, actors.length, { perSecond, most: SENDS_PER_SECOND_MAX });
  return actors.map((actor, index) => ({
    index,
    actor,
    scenes: [...(rates[index] ?? [])].flatMap(([at, rate]) => {
      const scene = scenes[at];
      return scene ? [{ scene, perSecond: rate }] : [];
    }),
  }));
}

/** Sends and counts what was answered. */
export async function say(stage: Stage, session: Session, what: { channelId: string; body: string; id?: string }) {
  const place = await session.send(what.channelId, what.body, what.id);
  stage.accepted++;
  return place;
}
