import type { InboxEvent } from '@parley/protocol';
import { expect, test } from 'vitest';
import { InboxChannel } from '../apps/api/src/feeds/inbox-channel.ts';
import { ANN, BOB, CHANNEL, SUMMARY, World } from '../apps/api/test/feed-world.ts';

// Who read up to behind his mentions, and not all, was told how much is unread and not that nobody mentions him any more: the badge
// stayed until somebody wrote to the channel again.

test('[UNREAD-111] who reads his mentions, and not all, is told that they are read', async () => {
  const world = new World();
  const node = world.node();
  const channel = new InboxChannel({ userId: BOB, stirred: () => undefined }, SUMMARY);
  channel.follow(await node.hub.attach(CHANNEL, channel));
  const view = world.view(BOB);
  if (!view) throw new Error('no view');
  channel.rest(view);
  const told = async (): Promise<InboxEvent[]> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(channel.look()).toBe('none');
    return channel.news().filter(({ type }) => type === 'read' || type === 'channel.activity');
  };
  world.send('seen');
  world.read(BOB);
  await told();
  world.send('for Bob', ANN, [BOB]);
  const { head } = world.view(BOB) ?? view;
  world.send('for all', ANN);
  expect(await told()).toMatchObject([{ type: 'channel.activity', unread: 2, mentions: 1 }]);
  world.read(BOB, head);
  expect(await told()).toMatchObject([{ type: 'read', unread: 1, mentions: 0 }]);
  node.hub.detach(CHANNEL, channel);
});
