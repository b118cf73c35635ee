import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../packages/testing/src/cluster.ts';
import { StockUser, signIn } from '../packages/testing/test/stock-user.ts';

interface Said {
  readonly code: number;
  readonly text: string;
}

/** Runs the command as it is. */
function trace(...words: string[]): Promise<Said> {
  const line = ['--conditions=@parley/source', 'tools/trace.ts', ...words];
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH ?? '', ...cluster.env } };
    const child = execFile(process.execPath, line, options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ apis: 2, workers: 1, migrate });
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

async function userOn(node: number, name: string): Promise<StockUser> {
  const url = cluster.apis[node]?.url ?? '';
  return new StockUser(name, await signIn(url, name), () => url);
}

/** The lines in order, as patterns: what stands between them does not matter. */
function expectInOrder(text: string, patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const found = text.slice(from).search(pattern);
    expect(found, `${pattern} after ${from} in\n${text}`).toBeGreaterThanOrEqual(0);
    from += found;
  }
}

describe('npm run trace, two api nodes', () => {
  it('[OPS-20] shows where a message was accepted and fanned out, when it was persisted, what became of it and who has it', async () => {
    await using ann = await userOn(0, 'ann');
    await using bob = await userOn(1, 'bob');
    const { id: channelId } = await ann.client.channel.create.mutate({
      kind: 'group',
      name: 'x',
      memberIds: [bob.userId],
    });
    await ann.watch(channelId);
    await bob.watch(channelId);
    const { messageId, position } = await ann.client.message.send.mutate({
      channelId,
      clientMsgId: randomUUID(),
      body: 'hello',
      ack: 'persisted',
    });
    await bob.client.receipt.read.mutate({ channelId, position });
    await bob.client.reaction.add.mutate({ channelId, messageId, emoji: '👍' });
    await ann.client.message.edit.mutate({ channelId, messageId, body: 'hello!' });
    let said = await trace(messageId);
    for (const until = Date.now() + 15_000; !/had read it/.test(said.text) && Date.now() < until; ) {
      await sleep(500);
      said = await trace(messageId);
    }
    const [first, second] = cluster.apis.map(({ port }) => `\\S+:${port}/0`);
    expect(said.code).toBe(0);
    expect(said.text).toContain(`message ${messageId}, at ${position} of channel ${channelId}`);
    expectInOrder(said.text, [/\+0 ms +log store +accepted: message \d+/, new RegExp(`${first} +accepted`)]);
    expectInOrder(said.text, [/log store +accepted/, new RegExp(`${second} +fanned out`), /^now /m]);
    expectInOrder(said.text, [/log store +accepted/, new RegExp(`${first} +fanned out`), /^now /m]);
    expectInOrder(said.text, [/Postgres +persisted/, /reacted at/, /edited at/, /^now /m]);
    expect(said.text).toMatch(new RegExp(`${bob.userId} had read it`));
    expect(said.text).toMatch(/2 of 2 threads answered/);
    expect(said.text).toMatch(/is not in the log/);
    // The second node did not accept it.
    expect(said.text).not.toMatch(new RegExp(`${second} +accepted`));

    const byPlace = await trace(channelId, position);
    expect(byPlace.text).toContain(`message ${messageId}, at ${position}`);
    const [, epoch = '', n = ''] = /^(\d+)-(\d+)$/.exec(position) ?? [];
    const change = await trace(channelId, `${epoch}-${Number(n) + 1}`);
    expect(change.text).toMatch(/^entry "reacted"/);
  }, 60_000);

  it('[OPS-21] finds a message that Postgres does not have, and says what it waits for', async () => {
    await cluster.workers[0]?.stop();
    await using cem = await userOn(0, 'cem');
    const { id: channelId } = await cem.client.channel.create.mutate({ kind: 'group', name: 'y', memberIds: [] });
    const { messageId } = await cem.send(channelId, 'waits');
    const said = await trace(messageId);
    expect(said.code).toBe(0);
    expect(said.text).toMatch(/it waits in the log for Postgres/);
    expect(said.text).toMatch(/it has no row in messages/);
    expect(said.text).not.toMatch(/persisted/);
    const json = await trace(messageId, '--json');
    expect(JSON.parse(json.text)).toMatchObject({ messageId, channelId, senderId: cem.userId });
  }, 60_000);

  it('[OPS-21] ends with 1 for what nobody knows, and with 2 for what is no question', async () => {
    const unknown = randomUUID();
    expect(await trace(unknown)).toEqual({ code: 1, text: `neither Postgres nor the log knows ${unknown}\n` });
    expect(await trace('x')).toMatchObject({ code: 2, text: expect.stringContaining('usage:') });
  }, 30_000);
});
