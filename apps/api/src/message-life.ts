import { type MessageLog, type ReadDeps, readReceipt, type SendDeps, sendMessage } from '@parley/domain';
import { LATENCY_BUCKETS, type Metrics } from '@parley/runtime';
import { forCaller } from './cases/for-caller.ts';
import type { Cases } from './context.ts';
import { layer } from './log-layers.ts';

type SendsDeps = SendDeps & { readonly log: MessageLog };

/** People read when they come to it, not when a server is done. */
const READER_SECONDS = [15, 60, 300, 3_600];

/** Times sends from their arrival to the log's answer, whatever they wait for after it. Only what is newly accepted is a message. */
export function measureSends(cases: Cases, deps: SendsDeps, metrics: Metrics): Cases {
  const seconds = metrics.histogram(
    'message_accept_seconds',
    'From the arrival of a send to its being accepted by the log; a message that was accepted before is not counted again',
    { buckets: LATENCY_BUCKETS },
  );
  const send: ReturnType<typeof sendMessage> = (userId, input) => {
    const began = performance.now();
    const accept: MessageLog['accept'] = async (draft) => {
      const verdict = await deps.log.accept(draft);
      if (verdict.type === 'accepted') seconds.observe((performance.now() - began) / 1_000);
      return verdict;
    };
    return sendMessage({ ...deps, log: layer(deps.log, { accept }) })(userId, input);
  };
  return { ...cases, 'message.send': forCaller(send) };
}

/** Times messages from their being accepted to a member's mark that he has read them, both by the log store's clock. */
export function measureReceipts(cases: Cases, deps: ReadDeps, metrics: Metrics): Cases {
  const seconds = metrics.histogram(
    'message_receipt_seconds',
    "From the accept stamp of a message to a member's mark that he has read it; once for each mark that moved",
    { buckets: [...LATENCY_BUCKETS, ...READER_SECONDS] },
  );
  const read: ReadDeps['views']['read'] = async (cursor) => {
    const verdict = await deps.views.read(cursor);
    if (verdict.type === 'at' && verdict.acceptedAt !== undefined) {
      seconds.observe(Math.max(0, verdict.place.at - verdict.acceptedAt) / 1_000);
    }
    return verdict;
  };
  const views: ReadDeps['views'] = { read, delivered: (cursor) => deps.views.delivered(cursor) };
  return { ...cases, 'receipt.read': forCaller(readReceipt({ ...deps, views })) };
}
