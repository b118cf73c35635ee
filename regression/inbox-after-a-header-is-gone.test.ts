import { setTimeout as sleep } from 'node:timers/promises';
import type { InboxEvent } from '@parley/protocol';
import { expect, test } from 'vitest';
import { InboxReader } from '../apps/api/src/feeds/inbox-reader.ts';
import { ANN, SUMMARY, World } from '../apps/api/test/feed-world.ts';

const never = new AbortController().signal;

async function readerOf(world: World, hasHeader: () => boolean) {
  const { hub } = world.node();
  const reader = new InboxReader(
    {
      hub,
      views: { views: async () => [hasHeader() ? world.view(ANN) : null] },
      clock: { now: () => 0, sleep: async () => undefined },
      summaries: async () => [SUMMARY],
      invitations: async () => [],
      summary: async () => SUMMARY,
      newId: () => 'sub',
    },
    ANN,
    { wake: () => undefined, signal: never },
  );
  await reader.open();
  return async (): Promise<InboxEvent['type'][]> => {
    // What was published is delivered.
    await sleep(10);
    await reader.catchUp();
    const types: InboxEvent['type'][] = [];
    for (let item = reader.take(); item; item = reader.take()) types.push(item.event.type);
    return types;
  };
}

// A hole makes the inbox look at the header. One that had left the log store by then kept what the sender had to hear of until
// somebody wrote to the channel again.
test('[PERSIST-73] the sender is told of his rejected message although the header is gone by then', async () => {
  const world = new World();
  let hasHeader = true;
  const next = await readerOf(world, () => hasHeader);
  const position = world.send('1', ANN);
  expect(await next()).toContain('channel.activity');
  world.persist({ rejected: [position] });
  world.hole(position, ANN);
  hasHeader = false;
  expect(await next()).toEqual(expect.arrayContaining(['message.rejected', 'message.persisted']));
});

// The same look found everything persisted, and took that for told.
test('[PERSIST-73] the sender is told what is persisted although the header says so first', async () => {
  const world = new World();
  const next = await readerOf(world, () => true);
  const position = world.send('1', ANN);
  world.send('2', ANN);
  expect(await next()).toContain('channel.activity');
  world.persist({ rejected: [position] });
  world.hole(position, ANN);
  expect(await next()).toEqual(expect.arrayContaining(['message.rejected', 'message.persisted']));
});
