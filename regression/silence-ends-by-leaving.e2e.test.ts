import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chatter, failureOf, type Stack, startStack, text } from '../apps/api/test/stack.ts';

// A silence stood in the member's row alone, and the row went with the membership: who left and joined again could speak.

let stack: Stack;
let ada: Chatter;
let bob: Chatter;

beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_ENABLED: 'false' });
  await stack.startWorker();
  [ada, bob] = await Promise.all([stack.user('ada'), stack.user('bob')]);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

async function silencedIn(kind: 'public' | 'group', forMs = 600_000): Promise<string> {
  const { id } = await ada.trpc.channel.create.mutate({ kind, name: 'g', memberIds: [bob.userId] });
  await ada.trpc.member.silence.mutate({ channelId: id, userId: bob.userId, until: Date.now() + forMs });
  return id;
}

const say = (channelId: string) => bob.trpc.message.send.mutate(text(channelId, 'hello'));

describe('[MEMBER-115] a silence outlives the membership', () => {
  it('of who leaves and joins again, as often as he likes', async () => {
    const channelId = await silencedIn('public');
    for (let times = 0; times < 2; times++) {
      await bob.trpc.channel.leave.mutate({ channelId });
      expect(await failureOf(say(channelId))).toMatchObject({ code: 'NOT_FOUND' });
      await bob.trpc.channel.join.mutate({ channelId });
      expect(await failureOf(say(channelId))).toMatchObject({ code: 'SILENCED', retryAfterMs: expect.any(Number) });
    }
    await ada.trpc.member.silence.mutate({ channelId, userId: bob.userId, until: null });
    await say(channelId);
    await bob.trpc.channel.leave.mutate({ channelId });
    await bob.trpc.channel.join.mutate({ channelId });
    await say(channelId);
  });

  it('of who is removed and invited again; who is added by a moderator may speak, also when he has left since', async () => {
    const channelId = await silencedIn('group');
    const whom = { channelId, userIds: [bob.userId] };
    await ada.trpc.member.remove.mutate({ channelId, userId: bob.userId });
    await ada.trpc.channel.invite.mutate(whom);
    await bob.trpc.channel.join.mutate({ channelId });
    expect(await failureOf(say(channelId))).toMatchObject({ code: 'SILENCED' });
    await bob.trpc.channel.leave.mutate({ channelId });
    await ada.trpc.member.add.mutate(whom);
    await say(channelId);
    await bob.trpc.channel.leave.mutate({ channelId });
    await ada.trpc.channel.invite.mutate(whom);
    await bob.trpc.channel.join.mutate({ channelId });
    await say(channelId);
  });

  it('but not its own time', async () => {
    const channelId = await silencedIn('public', 1_000);
    await bob.trpc.channel.leave.mutate({ channelId });
    await bob.trpc.channel.join.mutate({ channelId });
    const spoken = () => say(channelId).then(Boolean, () => false);
    for (let tries = 0; tries < 100 && !(await spoken()); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await say(channelId);
  });
});
