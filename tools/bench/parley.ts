import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { type ApiProcess, type Cluster, startCluster } from '../../packages/testing/src/cluster.ts';
import type { ClientSpec } from './crowd/orders.ts';

interface ParleyOptions {
  readonly apis: number;
  readonly workers: number;
  readonly fsync?: 'always' | 'everysec';
  readonly env?: Record<string, string>;
}

/** Who calls, and which api. */
interface Caller {
  readonly userId: string;
  readonly at: number;
}

const SETTLE_MS = 1_000;
const CALLS_AT_ONCE = 32;
const MEMBERS_PER_CALL = 100;
const HOUR_S = 3_600;

/** What every api of a bench runs with: as in production, with limits that the load does not meet. */
const ENV = {
  NODE_ENV: 'production',
  THREADS: '1',
  DEV_TOKENS: 'false',
  MAX_CHANNEL_MEMBERS: '10000',
  MAX_CONNECTIONS: '20000',
  SEND_RATE_PER_MINUTE: '1000000',
  SEND_BURST: '1000000',
  CHANNEL_CREATES_PER_HOUR: '1000000',
  CHANNEL_JOINS_PER_HOUR: '1000000',
  HTTP_QUERIES_PER_HOUR: '1000000',
};

/** Our side: real apis and workers on servers of their own, and what a row needs to be there before it begins. */
export class Parley implements AsyncDisposable {
  readonly cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async start({ fsync = 'always', env, ...size }: ParleyOptions): Promise<Parley> {
    const settings = { ...ENV, LOG_FSYNC: fsync, ...env };
    return new Parley(await startCluster({ ...size, appendonly: fsync, migrate, env: settings }));
  }

  /** The api of this number. */
  api(at: number): ApiProcess {
    const api = this.cluster.apis[at];
    if (!api) throw new RangeError(`there is no api ${at}`);
    return api;
  }

  /** So many users who exist. */
  async users(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await inLanes(ids, (id) => this.call(id, 'user.me'));
    return ids;
  }

  /** A channel of these users, who exist; the first one owns it. */
  async channel(memberIds: readonly string[]): Promise<string> {
    const [owner = '', ...others] = memberIds;
    const first = others.slice(0, MEMBERS_PER_CALL - 1);
    const { id } = (await this.call(owner, 'channel.create', {
      kind: 'group',
      name: 'bench',
      memberIds: first,
    })) as { id: string };
    for (let at = first.length; at < others.length; at += MEMBERS_PER_CALL) {
      await this.call(owner, 'member.add', { channelId: id, userIds: others.slice(at, at + MEMBERS_PER_CALL) });
    }
    return id;
  }

  /** Channels of the given members each, made side by side. */
  async channels(groups: readonly (readonly string[])[]): Promise<string[]> {
    const ids: string[] = [];
    await inLanes([...groups.keys()], async (i) => {
      ids[i] = await this.channel(groups[i] ?? []);
    });
    return ids;
  }

  /** Waits until what has set the scene is persisted and told, and ends the workers, whose marks would be deliveries of their own. */
  async rest(): Promise<void> {
    await sleep(SETTLE_MS);
    await Promise.all(this.cluster.workers.map((worker) => worker.stop()));
  }

  /** The user as a client of the api of this number. */
  client(userId: string, at: number, rest: Partial<ClientSpec> = {}): ClientSpec {
    return { port: this.api(at).port, token: this.#token(userId), requestId: 1, ...rest };
  }

  /** A call over HTTP in the user's name, to the first api or to that of a number; a query when it has no input. */
  async call(caller: string | Caller, path: string, input?: object): Promise<unknown> {
    const { userId, at } = typeof caller === 'string' ? { userId: caller, at: 0 } : caller;
    const headers = { authorization: `Bearer ${this.#token(userId)}`, 'content-type': 'application/json' };
    const url = `${this.cluster.apis[at]?.url}/trpc/${path}`;
    const answer = await fetch(url, input ? { method: 'POST', headers, body: JSON.stringify(input) } : { headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 500)}`);
    return (JSON.parse(text) as { result: { data: unknown } }).result.data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  /** HS256 by hand: the bench needs no library for one signature. */
  #token(userId: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1_000);
    const text = `${part({ alg: 'HS256' })}.${part({ sub: userId, name: 'bench', iat: now, exp: now + HOUR_S })}`;
    const secret = this.cluster.env.AUTH_SECRET ?? '';
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  }
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, lane));
}
