import { createHash } from 'node:crypto';
import { close, connect, createConnection, LogStore } from '@parley/cache';
import { createLog } from '@parley/runtime';
import { startRedis } from '@parley/testing';

type Redis = LogStore['redis'];

const log = createLog({ name: 'model', level: 'silent' });
const TIMEOUT_MS = 20_000;

/** All that a server holds. */
type Copy = ReadonlyMap<string, { readonly dump: Buffer; readonly ttlMs: number }>;

/** A publication as the server made it. */
export interface Heard {
  readonly channelId: string;
  readonly line: string;
}

/** A real Redis that may be anybody's log store: a master, one that was, or one that is to be. */
export class LogServer implements AsyncDisposable {
  readonly name: string;
  readonly store: LogStore;
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #owned: AsyncDisposableStack;
  /** What becomes of a script's text on its way here. */
  rewrite: (text: string) => string = (text) => text;
  /** Given what is published, in its order. */
  onHeard: (heard: Heard) => void = () => undefined;

  static async start(name: string): Promise<LogServer> {
    const owned = new AsyncDisposableStack();
    const { url } = owned.use(await startRedis({ appendonly: 'no', policy: 'noeviction' }));
    const redis = createConnection({ url, kind: 'log', timeoutMs: TIMEOUT_MS, log });
    await connect(redis, TIMEOUT_MS);
    owned.defer(() => close(redis));
    const subscriber = createConnection({ url, kind: 'subscriber', log });
    await connect(subscriber, TIMEOUT_MS);
    owned.defer(() => close(subscriber));
    await subscriber.psubscribe('*:win:*');
    return new LogServer(name, { redis, subscriber, owned });
  }

  private constructor(name: string, parts: { redis: Redis; subscriber: Redis; owned: AsyncDisposableStack }) {
    this.name = name;
    this.#redis = parts.redis;
    this.#subscriber = parts.subscriber;
    this.#owned = parts.owned;
    this.store = new LogStore({ redis: parts.redis });
    this.#rewriteScripts();
    this.#subscriber.on('pmessage', (_pattern, key: string, line: string) => {
      this.onHeard({ channelId: key.slice(-36), line });
    });
  }

  /** Resolves when everything that was published so far has been heard. */
  async heardAll(): Promise<void> {
    await this.#subscriber.ping();
  }

  async copy(): Promise<Copy> {
    const keys = await this.#redis.keys('*');
    const pipeline = this.#redis.pipeline();
    for (const key of keys) pipeline.callBuffer('DUMP', key).pttl(key);
    const found = ((await pipeline.exec()) ?? []).map(([, reply]) => reply);
    return new Map(
      keys.map((key, i) => [key, { dump: found[2 * i] as Buffer, ttlMs: Math.max(0, Number(found[2 * i + 1])) }]),
    );
  }

  /** Takes another's data set instead of its own, as a replica does: its scripts stay. Then it is a master. */
  async takeOver(copy: Copy): Promise<void> {
    await this.#redis.flushall();
    const pipeline = this.#redis.pipeline();
    for (const [key, { dump, ttlMs }] of copy) pipeline.restore(key, ttlMs, dump);
    await pipeline.exec();
    await this.#newIdentity();
  }

  /** Ends and comes again with all that it had but its scripts. */
  async restart(): Promise<void> {
    const copy = await this.copy();
    await this.#redis.script('FLUSH');
    await this.takeOver(copy);
  }

  /** Comes again with nothing. */
  async wipe(): Promise<void> {
    await this.#redis.script('FLUSH');
    await this.takeOver(new Map());
  }

  async flushAll(): Promise<void> {
    await this.#redis.flushall();
  }

  async forgetScripts(): Promise<void> {
    await this.#redis.script('FLUSH');
  }

  /** Callers go on to call a script by the name that it would have had. */
  #rewriteScripts(): void {
    const names = new Map<string, string>();
    const send = this.#redis.sendCommand.bind(this.#redis);
    const rewritten = (text: string) => {
      const other = this.rewrite(text);
      if (other !== text) names.set(nameOf(text), nameOf(other));
      return other;
    };
    this.#redis.sendCommand = (command, stream) => {
      const { name, args } = command;
      if (name === 'script' && args[0] === 'LOAD') args[1] = rewritten(String(args[1]));
      if (name === 'eval') args[0] = rewritten(String(args[0]));
      if (name === 'evalsha') args[0] = names.get(String(args[0])) ?? String(args[0]);
      return send(command, stream);
    };
  }

  /** Every promotion gives a server a replication id that none had before. */
  async #newIdentity(): Promise<void> {
    await this.#redis.replicaof('127.0.0.1', '1');
    await this.#redis.replicaof('NO', 'ONE');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

function nameOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
