import type { Broker, BrokerEvents, Topic } from '@parley/domain';
import type { Heard } from './log-servers.ts';
import type { Seat } from './stepped-stores.ts';

/** Carries publications to one process: in their order, each a step of its own, until they are cut off. */
export class ModelBroker implements Broker {
  readonly #seat: Seat;
  readonly #events: BrokerEvents;
  readonly #tell: (userId: string, json: string) => void;
  readonly #topics = new Map<string, number>();
  #coming: (() => void)[] = [];
  #isUnderWay = false;

  constructor(seat: Seat, parts: { events: BrokerEvents; tell: (userId: string, json: string) => void }) {
    this.#seat = seat;
    this.#events = parts.events;
    this.#tell = parts.tell;
  }

  subscribe(topic: Topic): Promise<void> {
    const { schedule, actor } = this.#seat;
    const key = keyOf(topic);
    const work = async () => void this.#topics.set(key, (this.#topics.get(key) ?? 0) + 1);
    return schedule.step({ actor, name: 'subscribes', work });
  }

  unsubscribe(topic: Topic): void {
    const key = keyOf(topic);
    const left = (this.#topics.get(key) ?? 0) - 1;
    if (left > 0) this.#topics.set(key, left);
    else this.#topics.delete(key);
  }

  async tellUser(userId: string, json: string): Promise<void> {
    const { schedule, actor } = this.#seat;
    await schedule.step({ actor, name: 'tells a user', work: async () => this.#tell(userId, json) });
  }

  hear({ channelId, line }: Heard): void {
    if (this.#topics.has(channelId)) this.#take(() => this.#events.channel(channelId, line));
  }

  hint(userId: string, json: string): void {
    if (this.#topics.has(userId)) this.#take(() => this.#events.user(userId, json));
  }

  /** What is on its way is lost, and nobody is told. False: nothing was. */
  drop(): boolean {
    const wasComing = this.#coming.length > 0;
    this.#coming = [];
    return wasComing;
  }

  /** What is on its way is lost; once everything is subscribed again, that is known. */
  cut(): void {
    this.#coming = [];
    const { schedule, actor } = this.#seat;
    void schedule.step({ actor, name: 'is subscribed again', work: async () => this.#events.suspect() });
  }

  #take(publication: () => void): void {
    this.#coming.push(publication);
    if (!this.#isUnderWay) void this.#deliver();
  }

  async #deliver(): Promise<void> {
    const { schedule, actor } = this.#seat;
    this.#isUnderWay = true;
    while (this.#coming.length > 0) {
      await schedule.step({ actor, name: 'hears', work: async () => this.#coming.shift()?.() });
    }
    this.#isUnderWay = false;
  }
}

function keyOf(topic: Topic): string {
  if ('everybody' in topic) return 'everybody';
  return 'userId' in topic ? topic.userId : topic.channelId;
}
