import type { Answer } from '@parley/protocol';
import { expect, it } from 'vitest';
import { openInboxFeed } from '../apps/api/src/feeds/inbox-feed.ts';
import { Reader } from '../apps/api/test/feed-reader.ts';
import { BOB, SUMMARY, World } from '../apps/api/test/feed-world.ts';

// The inbox forgot every invitation once it had read them: also one that came while it was reading, and was not among them.

type Invitation = Answer<'channel.invitations'>[number];

const to = (id: string): Invitation => ({ channel: { ...SUMMARY, id }, invitedBy: BOB, invitedAt: 1 });

it('[MEMBER-113] an invitation that comes while invitations are read is told, too', async () => {
  const world = new World();
  const node = world.node();
  const invite = (channelId: string) => node.hub.user(BOB, JSON.stringify({ type: 'channel.invited', channelId }));
  const stored: Invitation[] = [];
  const open = openInboxFeed({
    hub: node.hub,
    views: world.views,
    clock: world.clock,
    newId: () => 'sub',
    summaries: async () => [],
    summary: async () => null,
    invitations: async () => {
      const read = [...stored];
      if (stored.length === 1) {
        stored.push(to('second'));
        invite('second');
      }
      return read;
    },
  });
  const bob = new Reader((signal) => open({ userId: BOB, name: 'Bob' }, {}, signal));
  await bob.until(() => bob.events.length === 1);
  stored.push(to('first'));
  invite('first');
  await bob.until(() => bob.events.length === 3);
  expect(bob.events.slice(1).map(({ event }) => event)).toMatchObject([
    { type: 'channel.invited', channelId: 'first' },
    { type: 'channel.invited', channelId: 'second' },
  ]);
  await bob.leave();
});
