import { describe, expect, it } from 'vitest';
import { readCreated } from '../src/drain-payload.ts';
import { LINE_VERSION, parseLine } from '../src/log-line.ts';
import { messageOf } from '../src/message-of.ts';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const attachment = { id: id(9), fileName: 'a', contentType: 'image/png', byteSize: 3, thumbnailUrl: null };
const payload = {
  id: id(1),
  channelId: id(2),
  clientMsgId: id(3),
  senderId: id(4),
  body: '',
  replyTo: null,
  threadOf: null,
  attachmentIds: [attachment.id],
  mentions: [],
  encrypted: null,
};

function messageFrom(json: object) {
  const line = parseLine(`${LINE_VERSION} c 1-1 1 5 ${JSON.stringify(json)}`);
  return line && messageOf(line, false);
}

describe('[FILE-34] a line with attachments', () => {
  it('carries them whole; one of an older build, without, is read as before', () => {
    expect(messageFrom({ ...payload, attachments: [attachment] })?.attachments).toEqual([attachment]);
    expect(messageFrom(payload)?.attachments).toEqual([]);
    expect(readCreated(JSON.stringify({ ...payload, attachments: [attachment] }))).toMatchObject({
      attachments: [attachment],
    });
    expect(readCreated(JSON.stringify(payload))).toEqual(payload);
  });

  it('is no payload when one of them is malformed', () => {
    for (const wrong of [
      {},
      'x',
      [1],
      [null],
      [{ ...attachment, id: '../x' }],
      [{ ...attachment, byteSize: '3' }],
      [{ ...attachment, thumbnailUrl: 3 }],
    ]) {
      expect(readCreated(JSON.stringify({ ...payload, attachments: wrong })), JSON.stringify(wrong)).toBeNull();
    }
  });
});
