import type { MessageLog, Verdict } from '@parley/domain';
import type { Metrics } from '@parley/runtime';

/** The log with some of its calls done differently. */
export function layer(log: MessageLog, over: Partial<MessageLog>): MessageLog {
  return {
    epochOf: (channelId) => log.epochOf(channelId),
    renew: () => log.renew(),
    load: (channelId) => log.load(channelId),
    forgetAnswer: (operation) => log.forgetAnswer(operation),
    accept: (draft) => log.accept(draft),
    change: (change) => log.change(change),
    amend: (amendment) => log.amend(amendment),
    ...over,
  };
}

/** Counts what the log answers, by verdict. */
export function measureLog(log: MessageLog, metrics: Metrics): MessageLog {
  const verdicts = metrics.counter('log_verdicts_total', 'Answers of the message log', ['call', 'verdict']);
  const counted = async (call: string, asked: Promise<Verdict>): Promise<Verdict> => {
    const verdict = await asked;
    verdicts.inc({ call, verdict: verdict.type });
    return verdict;
  };
  return layer(log, {
    accept: (draft) => counted('accept', log.accept(draft)),
    change: (change) => counted('change', log.change(change)),
    amend: (amendment) => counted('amend', log.amend(amendment)),
  });
}

/** Takes no message and no change of one while the log store's memory is full. Member changes go on: they are few, and a kick must not wait. */
export function refuseWhenFull(log: MessageLog, memory: { readonly full: boolean }): MessageLog {
  return layer(log, {
    accept: (draft) => (memory.full ? Promise.resolve({ type: 'backpressure' }) : log.accept(draft)),
    amend: (amendment) => (memory.full ? Promise.resolve({ type: 'backpressure' }) : log.amend(amendment)),
  });
}
