import { setTimeout as sleep } from 'node:timers/promises';
import { RedisLine } from '../redis-line.ts';
import { AwakeLoop } from './awake-loop.ts';
import { bodyOf, Client } from './client.ts';
import type { ChannelSpec, ClientSpec, Dialect, GroupSpec, RunResult, RunSpec, StormResult } from './orders.ts';
import { Tally } from './tally.ts';

// Below the 1,000 handshakes a second that an api lets in.
const OPENS_AT_ONCE = 40;
const OPENS_PER_TICK = 8;
const TICK_MS = 10;
const OPEN_TRIES = 5;
const OPEN_PAUSE_MS = 500;
const PATIENCE_MS = 20_000;

interface Channel {
  /** Where messages go. */
  readonly id: string;
  readonly subscribers: readonly Client[];
  readonly senders: readonly Client[];
  turn: number;
}

/** Everybody who is connected to one system under test. */
export class Group {
  readonly #spec: GroupSpec;
  readonly #channels: Channel[];
  readonly #clients: Client[];
  #publisher: RedisLine | undefined;
  #tally = new Tally(1);
  #otherFrames = 0;
  #turn = 0;
  readonly #endings: string[] = [];

  constructor(spec: GroupSpec) {
    this.#spec = spec;
    this.#channels = spec.channels.map((channel) => this.#channel(channel));
    this.#clients = this.#channels.flatMap(({ subscribers, senders }) => [...new Set([...subscribers, ...senders])]);
  }

  /** Connects all of them; resolves when every one is subscribed. */
  async open(): Promise<void> {
    const { publish } = this.#spec;
    if (publish) this.#publisher = await RedisLine.connect(publish.port);
    await this.#openAll(this.#clients);
  }

  close(): void {
    for (const client of this.#clients) client.cut();
    this.#publisher?.close();
  }

  async run(run: RunSpec): Promise<RunResult> {
    const tally = new Tally(this.#tally.first + this.#tally.messages);
    this.#tally = tally;
    this.#otherFrames = 0;
    const before = process.cpuUsage();
    const began = performance.now();
    using _ = new AwakeLoop(run.kind === 'one at a time' && run.awake === true);
    if (run.kind === 'paced') await this.#paced(tally, run);
    else
      await this.#keepInFlight(tally, {
        messages: run.messages,
        inFlight: run.kind === 'in flight' ? run.inFlight : 1,
      });
    await this.#settle(tally);
    const used = process.cpuUsage(before);
    return this.#result(tally, (used.user + used.system) / 1_000 / (performance.now() - began));
  }

  /** Sends at a steady pace, cuts every socket once, and lets all come back at once, where they were. */
  async storm(given: { perSecond: number; forMs: number; cutAfterMs: number }): Promise<StormResult> {
    const subscribers = this.#channels.flatMap((channel) => channel.subscribers);
    const running = this.run({ kind: 'paced', group: this.#spec.name, ...given });
    await sleep(given.cutAfterMs);
    for (const client of subscribers) client.cut();
    const cutAt = performance.now();
    await this.#comeBack(subscribers);
    const allBackMs = performance.now() - cutAt;
    const tally = this.#tally;
    const missed = tally.messages;
    while (!tally.isDoneBefore(missed) && performance.now() - tally.lastAt < PATIENCE_MS) await sleep(5);
    const allCaughtUpMs = performance.now() - cutAt;
    return { clients: subscribers.length, allBackMs, allCaughtUpMs, run: await running };
  }

  #channel({ id, subscribers, senders, sendTo }: ChannelSpec): Channel {
    const { dialect } = this.#spec;
    const members = subscribers.map((spec) => this.#client(spec, dialect, id));
    const others = senders.map((spec) => this.#client(spec, sendTo === undefined ? dialect : 'trpc', null));
    return { id: sendTo ?? id, subscribers: members, senders: others.length > 0 ? others : members, turn: 0 };
  }

  #client(spec: ClientSpec, dialect: Dialect, channelId: string | null): Client {
    return new Client({
      spec,
      channelId,
      dialect,
      onMessage: (seq) => this.#tally.delivered(seq),
      onAnswer: (seq, refusal) => this.#tally.answered(seq, refusal),
      onOther: () => {
        this.#otherFrames++;
      },
      onEnd: (reason) => this.#endings.push(reason),
    });
  }

  async #openAll(clients: readonly Client[]): Promise<void> {
    const waiting = [...clients];
    const lane = async () => {
      for (let client = waiting.pop(); client; client = waiting.pop()) {
        await this.#openSoon(client);
        if (waiting.length % OPENS_PER_TICK === 0) await sleep(TICK_MS);
      }
    };
    await Promise.all(Array.from({ length: OPENS_AT_ONCE }, lane));
  }

  /** A server that is busy may refuse for a while; one that goes on to do so is not to be measured. */
  async #openSoon(client: Client): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await client.open();
        return;
      } catch (error) {
        if (tries === OPEN_TRIES) throw error;
        await sleep(tries * OPEN_PAUSE_MS);
      }
    }
  }

  /** All at once, each again and again until it is in, a little later each time. */
  async #comeBack(clients: readonly Client[]): Promise<void> {
    await Promise.all(
      clients.map(async (client) => {
        for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
          await sleep(waitMs * Math.random());
          try {
            await client.open();
            return;
          } catch {
            // Refused for now: the server says 503 to more at once than it can take.
          }
        }
      }),
    );
  }

  #send(tally: Tally, at: number): void {
    const channel = this.#channels[this.#turn++ % this.#channels.length];
    if (!channel) throw new RangeError('a group without channels sends nothing');
    const seq = tally.next(channel.subscribers.length, { at, answers: this.#publisher === undefined });
    if (this.#publisher && this.#spec.publish) {
      const text = this.#spec.publish.text.replace('@@', bodyOf(seq)).replaceAll('%n', String(seq));
      this.#publisher.send('PUBLISH', channel.id, text);
      return;
    }
    const sender = channel.senders[channel.turn++ % channel.senders.length];
    sender?.send(channel.id, seq);
  }

  #keepInFlight(tally: Tally, { messages, inFlight }: { messages: number; inFlight: number }): Promise<void> {
    return new Promise((resolve) => {
      let done = 0;
      const patience = this.#patience(tally, resolve);
      tally.onDone = () => {
        done++;
        if (tally.messages < messages) this.#send(tally, performance.now());
        else if (done === messages) {
          clearInterval(patience);
          resolve();
        }
      };
      for (let i = 0; i < Math.min(inFlight, messages); i++) this.#send(tally, performance.now());
    });
  }

  /** Ends the waiting when nothing has come for long: what is missing then is told as lost. */
  #patience(tally: Tally, giveUp: () => void): NodeJS.Timeout {
    const watch = setInterval(() => {
      if (performance.now() - tally.lastAt < PATIENCE_MS) return;
      clearInterval(watch);
      giveUp();
    }, 500);
    return watch;
  }

  /** The times are those at which messages were due: a pause of this process makes none of them look faster. */
  async #paced(tally: Tally, { perSecond, forMs }: { perSecond: number; forMs: number }): Promise<void> {
    const began = performance.now();
    const messages = Math.round((perSecond * forMs) / 1_000);
    while (tally.messages < messages) {
      const due = Math.min(messages, Math.floor(((performance.now() - began) * perSecond) / 1_000) + 1);
      while (tally.messages < due) this.#send(tally, began + (tally.messages * 1_000) / perSecond);
      await sleep(1);
    }
  }

  async #settle(tally: Tally): Promise<void> {
    while (!tally.isSettled && performance.now() - tally.lastAt < PATIENCE_MS) await sleep(5);
  }

  #result(tally: Tally, ownLoad: number): RunResult {
    if (this.#endings.length > 0) {
      throw new Error(`${this.#spec.name}: ${this.#endings.length} connections ended: ${this.#endings[0]}`);
    }
    let disordered = 0;
    for (const client of this.#clients) {
      disordered += client.disordered;
      client.disordered = 0;
    }
    const frameBytes = Math.max(0, ...this.#clients.map((client) => client.frameBytes));
    const sampleFrame = this.#clients.find((client) => client.sample !== '')?.sample ?? '';
    return tally.result({ disordered, otherFrames: this.#otherFrames, frameBytes, sampleFrame, ownLoad });
  }
}
