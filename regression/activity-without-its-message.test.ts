import { expect, test } from 'vitest';
import { InboxChannel } from '../apps/api/src/feeds/inbox-channel.ts';
import { BOB, CHANNEL, SUMMARY, World } from '../apps/api/test/feed-world.ts';

// A message came between the page of the inbox and the listening. The next look forgot that its words were still to be asked for: the
// head was told with no message, and what was asked afterwards changed no count, so it was never told.
test('[FAN-111] a head is not told before the message that stands there is known', async () => {
  const world = new World();
  const node = world.node();
  const channel = new InboxChannel({ userId: BOB, stirred: () => undefined }, SUMMARY);
  channel.follow(await node.hub.attach(CHANNEL, channel));
  world.loses = () => true;
  world.send('unheard');
  const view = world.view(BOB);
  if (!view) throw new Error('no view');
  expect(channel.rest(view)).toBe('summary');
  expect(channel.look()).toBe('summary');
  world.persist();
  const lastMessage = world.stored.messages.at(-1) ?? null;
  channel.refresh({ ...SUMMARY, lastMessage });
  expect(channel.rest(view)).toBe('none');
  expect(channel.news()).toMatchObject([{ type: 'channel.activity', lastMessage: { body: 'unheard' } }]);
  node.hub.detach(CHANNEL, channel);
});
