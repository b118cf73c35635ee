import { describe, expect, it } from 'vitest';
import { startStack, text } from './stack.ts';

/** Whether the window has a message at the moment when its send is answered. */
async function isInWindowWhenAnswered(env: Record<string, string>): Promise<boolean> {
  await using stack = await startStack(env);
  const ada = await stack.user('ada');
  const { id } = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
  await ada.trpc.message.send.mutate(text(id, 'first'));
  const { messageId } = await ada.trpc.message.send.mutate(text(id, 'second'));
  const { items } = await ada.trpc.message.page.query({ channelId: id });
  return items.some((message) => message.id === messageId);
}

describe('an acknowledgement', () => {
  it('[SEND-27] comes after the append: what is acknowledged can be read', async () => {
    expect(await isInWindowWhenAnswered({})).toBe(true);
  });

  it('[SEND-27] the control: with UNSAFE_ACK_BEFORE_APPEND the same look finds nothing', async () => {
    expect(await isInWindowWhenAnswered({ UNSAFE_ACK_BEFORE_APPEND: 'true' })).toBe(false);
  });
});
