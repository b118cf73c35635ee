import { formatPosition, type Position } from '@parley/protocol';
import { expect, it } from 'vitest';
import { sendMessage } from '../packages/domain/src/send-message.ts';
import { settleOperation } from '../packages/domain/src/settle-operation.ts';

const place = (epoch: number) => ({ epoch, n: 1, m: 1, at: 1_000 });

/** A log store that is lost again while Postgres is being asked about an operation. */
function world() {
  const put: number[] = [];
  const asked: number[] = [];
  let epoch = 6;
  const log = {
    epochOf: () => epoch,
    renew: async () => {},
    load: async () => true,
    forgetAnswer: async () => {},
  };
  const archive = {
    outcome: async () => {
      asked.push(epoch);
      epoch = 7;
      return null;
    },
  };
  const accept = async () => {
    put.push(epoch);
    return { type: 'accepted', place: place(epoch), first: false } as const;
  };
  const lose = () => {
    epoch += 1;
  };
  return { put, asked, log, archive, accept, lose };
}

it('a message is not accepted in an epoch that came while it was looked up: its forerunners are lost there', async () => {
  const { put, log, archive, accept } = world();
  const settle = settleOperation({ log, archive, clock: { now: () => 0 } });
  const send = settle({
    channelId: 'c',
    actorId: 'a',
    operationId: 'o',
    repeat: { epoch: 6, triedIn: 5 },
    put: accept,
  });
  await expect(send).rejects.toMatchObject({ code: 'CONFLICT', epoch: 7 });
  expect(put).toEqual([]);
});

it('without forerunners it is looked up again, and accepted', async () => {
  const { put, asked, log, archive, accept } = world();
  const settle = settleOperation({ log, archive, clock: { now: () => 0 } });
  const attempt = { channelId: 'c', actorId: 'a', operationId: 'o', repeat: { triedIn: 5 }, put: accept };
  expect(await settle(attempt)).toMatchObject({ type: 'accepted', place: { epoch: 7 } });
  expect(asked).toEqual([6, 7]);
  expect(put).toEqual([7]);
});

it('an answer never names a newer epoch than that of the position it gives', async () => {
  const { log, archive, accept, lose } = world();
  const send = sendMessage({
    log: {
      ...log,
      accept: async () => {
        const accepted = await accept();
        lose();
        return accepted;
      },
    },
    archive: { ...archive, channel: async () => null, message: async () => null },
    views: { views: async () => [], after: async () => [], states: async () => [] },
    clock: { now: () => 0 },
    limiter: { take: async () => ({ allowed: true, retryAfterMs: 0 }) },
    doorbell: { ring: () => {} },
    watch: { watch: async () => ({ until: async (_: Position) => false, [Symbol.dispose]: () => {} }) },
    ids: { message: () => 'm', memberChange: () => 'c', fresh: () => 'f' },
  });
  const answer = await send('a', { channelId: 'c', clientMsgId: 'o', body: 'x', ack: 'accepted' });
  expect(answer).toMatchObject({ position: formatPosition({ epoch: 6, n: 1 }), epoch: 6, level: 'accepted' });
});
