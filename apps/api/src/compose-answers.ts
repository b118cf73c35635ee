import { channelSets, findChannel, listChannels, withPresence } from '@parley/domain';
import { CHANNEL_LIST_DEFAULT } from '@parley/protocol';
import { systemClock } from '@parley/runtime';
import { type CaseDeps, createCases } from './cases/cases.ts';
import type { ComposeOptions, Stores } from './compose-stores.ts';
import type { Context } from './context.ts';
import { openChannelFeed } from './feeds/channel-feed.ts';
import { measureBeginnings } from './feeds/feed-beginnings.ts';
import { openInboxFeed } from './feeds/inbox-feed.ts';
import { Press } from './feeds/press.ts';
import { channelIds, freshId, operationIds } from './ids.ts';
import { limitCases } from './limit-layers.ts';
import { measureCases } from './measure-cases.ts';
import { measureRecent } from './measure-recent.ts';
import { measureReceipts, measureSends } from './message-life.ts';
import { createUserHints } from './user-hints.ts';

/** What the procedures call. */
export function answersOf(
  { settings, log, metrics }: ComposeOptions,
  stores: Stores,
): Pick<Context, 'cases' | 'feeds'> {
  const { archive, copies, directory, silence, views, messageLog, limiter, hub, broker, doorbell, ephemeral } = stores;
  const { presences, sessions, typing } = ephemeral;
  const deps: CaseDeps = {
    archive,
    directory,
    openDirectory: settings.USER_DIRECTORY === 'open',
    silence,
    copies,
    views,
    log: messageLog,
    limiter,
    doorbell,
    watch: hub,
    hints: createUserHints({ broker, sets: channelSets(copies), log, clock: systemClock }),
    clock: systemClock,
    ids: { ...operationIds, ...channelIds },
    memberLimit: settings.MAX_CHANNEL_MEMBERS,
    presences,
    sessions,
    typing,
    ...stores.files.cases,
    push: stores.push,
    pushKey: settings.VAPID_PUBLIC_KEY,
    pushRules: { hosts: settings.PUSH_HOSTS, loopback: settings.NODE_ENV !== 'production' },
  };
  const summaryDeps = { archive, copies, views, clock: systemClock };
  const [list, find, live] = [listChannels(summaryDeps), findChannel(summaryDeps), withPresence(presences)];
  const feedDeps = {
    hub,
    ephemeral: ephemeral.hub,
    views,
    histories: stores.histories,
    log: messageLog,
    logger: log,
    began: measureBeginnings(metrics),
    clock: systemClock,
    newId: freshId,
    press: new Press(),
    summaries: async (userId: string) => live.summaries((await list(userId, { limit: CHANNEL_LIST_DEFAULT })).items),
    summary: async (userId: string, channelId: string) => {
      const found = await find(userId, channelId);
      return (found && (await live.summaries([found]))[0]) ?? null;
    },
    invitations: (userId: string) => archive.invitations(userId),
  };
  const recent = measureRecent(createCases(deps), deps, metrics);
  const measured = measureReceipts(measureSends(recent, deps, metrics), deps, metrics);
  return {
    cases: measureCases(limitCases(measured, limiter), metrics),
    feeds: { channel: openChannelFeed(feedDeps), inbox: openInboxFeed(feedDeps) },
  };
}
