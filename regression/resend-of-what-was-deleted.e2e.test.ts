import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { sqlOf } from '../apps/api/test/admin-rig.ts';
import { fileDesk } from '../apps/api/test/file-desk.ts';
import { makePng } from '../apps/api/test/picture.ts';
import { failureOf, startStack, text } from '../apps/api/test/stack.ts';

// The attachments of a deleted message are gone. A client that had not heard the answer to its send was told that the send was invalid
// when it came again, and showed as failed what had been said and taken back.

it('[FILE-22] a send that comes again after its message was deleted is answered as before', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-resend-'));
  try {
    await using stack = await startStack({ RATE_LIMIT_ENABLED: 'false', ATTACHMENTS_DIR: dir });
    await stack.startWorker();
    const ada = await stack.user('ada');
    const { id: channelId } = await ada.trpc.channel.create.mutate({ kind: 'group', memberIds: [] });
    const image = { channelId, bytes: new Uint8Array(makePng(8, 8)), fileName: 'a.png' };
    const { id } = await fileDesk(stack.url).attach(ada, image);
    const send = { ...text(channelId, 'look'), attachmentIds: [id], ack: 'persisted' as const };
    const { messageId, position } = await ada.trpc.message.send.mutate(send);
    await ada.trpc.message.delete.mutate({ channelId, messageId });
    await vi.waitFor(async () => {
      const gone = await failureOf(ada.trpc.attachment.url.query({ attachmentId: id }));
      expect(gone).toMatchObject({ code: 'NOT_FOUND' });
    });
    // As the clean-up leaves it.
    await sqlOf(stack, 'delete from attachments where id = $1', [id]);
    expect(await ada.trpc.message.send.mutate(send)).toMatchObject({ messageId, position, duplicate: true });
    // Control: another send cannot have them.
    const other = { ...send, clientMsgId: text(channelId, '').clientMsgId };
    expect(await failureOf(ada.trpc.message.send.mutate(other))).toMatchObject({ code: 'INVALID' });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
