import { Epochs, HeaderLoad, type Keys, RedisChannelViews, RedisMessageLog } from '@parley/cache';
import {
  type Copies,
  type CopyName,
  type CopyShapes,
  channelSets,
  findChannel,
  type Loaded,
  listChannels,
  type Presences,
} from '@parley/domain';
import { CHANNEL_LIST_DEFAULT } from '@parley/protocol';
import { createLog, createMetrics } from '@parley/runtime';
import type { Store } from '@parley/store';
import { channelCases } from '../../../../apps/api/src/cases/channel.ts';
import { memberCases } from '../../../../apps/api/src/cases/member.ts';
import { messageCases } from '../../../../apps/api/src/cases/message.ts';
import { reactionCases } from '../../../../apps/api/src/cases/reaction.ts';
import { receiptCases } from '../../../../apps/api/src/cases/receipt.ts';
import { userCases } from '../../../../apps/api/src/cases/user.ts';
import type { Cases, Context, Feeds, Session } from '../../../../apps/api/src/context.ts';
import { openChannelFeed } from '../../../../apps/api/src/feeds/channel-feed.ts';
import { openInboxFeed } from '../../../../apps/api/src/feeds/inbox-feed.ts';
import { Press } from '../../../../apps/api/src/feeds/press.ts';
import { createHub } from '../../../../apps/api/src/hub/hub.ts';
import { RecentHistories } from '../../../../apps/api/src/hub/recent-histories.ts';
import { channelIds, freshId, operationIds } from '../../../../apps/api/src/ids.ts';
import { appRouter } from '../../../../apps/api/src/router.ts';
import { createUserHints } from '../../../../apps/api/src/user-hints.ts';
import { quiet } from '../../../../apps/api/test/feed-world.ts';
import type { LogServer } from './log-servers.ts';
import { ModelBroker } from './model-broker.ts';
import { Actor, type Schedule } from './schedule.ts';
import { type Held, type Seat, SteppedLogStore, stepped, steppedLedger } from './stepped-stores.ts';

export const silent = createLog({ name: 'model', level: 'silent' });
const BACKLOG_MAX = 50_000;

/** What the processes of a run share. */
export interface Ground {
  readonly schedule: Schedule;
  readonly store: Store;
  readonly keys: Keys;
  readonly held: Held;
  /** Those of the run's channels. */
  partitions(): ReadonlySet<number>;
  /** Rings for a partition. */
  ring(partition: number): void;
  /** Tells a user's sessions on every node. */
  tell(userId: string, json: string): void;
}

/** One thread of the api without its doors. */
export interface ApiNode {
  readonly actor: Actor;
  readonly logStore: SteppedLogStore;
  readonly broker: ModelBroker;
  /** As somebody who calls procedures, through the router. */
  callerOf(userId: string): ReturnType<typeof appRouter.createCaller>;
  readonly feeds: Feeds;
  turnTo(server: LogServer): void;
}

/** An epoch's keeper and what it stands on, for any process. */
export function epochsOf(ground: Ground, seat: Seat, logStore: SteppedLogStore) {
  const ledger = steppedLedger(seat, ground.store.ledger, ground.held);
  const clock = ground.schedule.clockOf(seat.actor);
  const options = { store: logStore, ledger, keys: ground.keys, backlogMaxEntries: BACKLOG_MAX, log: silent, clock };
  return { ledger, clock, epochs: new Epochs(options) };
}

export interface ApiOptions {
  readonly asksNobody: boolean;
  readonly trustsAnyServer: boolean;
  readonly takesAnyPage: boolean;
}

export function startApiNode(
  ground: Ground,
  { name, server }: { name: string; server: LogServer },
  options: ApiOptions,
): ApiNode {
  const { schedule, keys } = ground;
  const actor = new Actor(name);
  const seat = { schedule, actor };
  const logStore = new SteppedLogStore(seat, server);
  const { clock, epochs } = epochsOf(ground, seat, logStore);
  const asked = stepped(seat, ground.store.archive);
  const archive = options.asksNobody ? { ...asked, outcome: async () => null } : asked;
  const directory = stepped(seat, ground.store.directory);
  const doorbell = { ring: ground.ring };
  const source = stepped(seat, ground.store.headers);
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source, doorbell, clock });
  if (options.trustsAnyServer) Object.defineProperty(epochs, 'agreed', { get: () => epochs.current });
  const views = new RedisChannelViews({ store: logStore, epochs, keys });
  if (options.takesAnyPage) takeAnyPage(views);
  const replicas = { confirmed: () => undefined };
  const log = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas });
  const histories = new RecentHistories(archive, clock);
  const reading = { views, histories, log, clock, logger: silent };
  const hub = createHub({ ...reading, metrics: createMetrics(), coalesce: false });
  const broker = new ModelBroker(seat, { events: hub, tell: ground.tell });
  hub.connect(broker);
  const deps = {
    archive,
    directory,
    openDirectory: true,
    silence: NOT_HERE,
    copies: noCopies,
    views,
    log,
    limiter: { take: async () => ({ allowed: true, retryAfterMs: 0 }) },
    doorbell,
    watch: hub,
    hints: createUserHints({ broker, sets: channelSets(noCopies), log: silent, clock }),
    clock,
    ids: { ...operationIds, ...channelIds },
    memberLimit: 100,
    presences: nobodyPresent,
    attachments: NOT_HERE,
  };
  const summaryDeps = { archive, copies: noCopies, views, clock };
  const [list, find] = [listChannels(summaryDeps), findChannel(summaryDeps)];
  const feedDeps = {
    ...reading,
    hub,
    ephemeral: quiet,
    newId: freshId,
    press: new Press(),
    summaries: async (userId: string) => (await list(userId, { limit: CHANNEL_LIST_DEFAULT })).items,
    summary: find,
    invitations: (userId: string) => archive.invitations(userId),
  };
  // A session of the model's has no part of a door.
  const feeds = { channel: openChannelFeed(feedDeps), inbox: openInboxFeed(feedDeps) } as unknown as Feeds;
  // Some ports have nothing behind them, and some procedures are left out: who calls them is told so.
  const cases = {
    ...userCases(deps as never),
    ...channelCases(deps as never),
    ...memberCases(deps as never),
    ...messageCases(deps as never),
    ...reactionCases(deps as never),
    ...receiptCases(deps as never),
  } as unknown as Cases;
  void epochs.run();
  hub.run();
  logStore.redis.on('ready', () => void hub.compare());
  return {
    actor,
    logStore,
    broker,
    feeds,
    callerOf: (userId) => appRouter.createCaller({ session: sessionOf(userId), cases, feeds } satisfies Context),
    turnTo: (next) => {
      logStore.turnTo(next);
      broker.cut();
    },
  };
}

/** Nobody is told that the log store has forgotten where it was. */
function takeAnyPage(views: RedisChannelViews): void {
  const states = views.states.bind(views);
  views.states = async (asked) =>
    (await states(asked)).map((known, i) => known ?? (asked[i]?.ids ?? []).map(() => null));
}

export function sessionOf(userId: string): Session {
  return { userId, name: userId.slice(0, 8), refresh: notHere, ticket: notHere };
}

async function notHere(): Promise<never> {
  throw new Error('no part of the model');
}

/** A port that the model has nothing behind. */
const NOT_HERE: unknown = new Proxy({}, { get: () => notHere });

const nobodyPresent: Presences = { of: async () => [], forget: async () => undefined };

/** Any copy may be missing at any time: these all are. */
const noCopies: Copies = {
  one: async <K extends CopyName>(_name: K, _key: string, load: () => Promise<Loaded<CopyShapes[K]>>) =>
    (await load()).value,
  many: async (_name, keys, load) => {
    if (keys.length === 0) return new Map();
    const found = await load(keys);
    return new Map([...found].map(([key, { value }]) => [key, value]));
  },
  keep: async () => undefined,
  changed: async () => undefined,
  clear: async () => undefined,
};
