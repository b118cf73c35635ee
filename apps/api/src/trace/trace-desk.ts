import {
  type BrokerEvents,
  type MessageLog,
  parseTraceQuestion,
  type TraceAnswer,
  type TraceQuestion,
  type Verdict,
} from '@parley/domain';
import type { Log } from '@parley/runtime';
import { layer } from '../log-layers.ts';
import { Sightings } from './sightings.ts';

interface TraceDeskOptions {
  /** How this thread is called in an answer. */
  readonly node: string;
  /** What the topic of an answer begins with: a question names no other. */
  readonly replyPrefix: string;
  publish(topic: string, text: string): Promise<unknown>;
  readonly log: Pick<Log, 'debug'>;
}

/** Remembers what passes through a thread, and tells `npm run trace` of it. */
export interface TraceDesk {
  /** The log, with what it takes remembered. */
  onLog(log: MessageLog): MessageLog;
  /** The broker's listener, with what is fanned out remembered, and questions answered instead of handed on. */
  onEvents(events: BrokerEvents): BrokerEvents;
}

export function createTraceDesk({ node, replyPrefix, publish, log }: TraceDeskOptions): TraceDesk {
  const sightings = new Sightings();

  async function seen(channelId: string, asked: Promise<Verdict>): Promise<Verdict> {
    const verdict = await asked;
    if (verdict.type === 'accepted') sightings.seen(channelId, 'accepted', verdict.place);
    if (verdict.type === 'duplicate') sightings.seen(channelId, 'asked again', verdict.place);
    return verdict;
  }

  async function tell({ channelId, position, replyTo }: TraceQuestion): Promise<void> {
    if (!replyTo.startsWith(replyPrefix)) return;
    const told: TraceAnswer = { node, sightings: sightings.of(channelId, position) };
    await publish(replyTo, JSON.stringify(told));
  }

  /** True when it was a question. */
  function answer(json: string): boolean {
    const question = parseTraceQuestion(json);
    if (question === null) return false;
    tell(question).catch((error: unknown) => log.debug({ err: error }, 'a trace was not told'));
    return true;
  }

  return {
    onLog: (messageLog) =>
      layer(messageLog, {
        accept: (draft) => seen(draft.channelId, messageLog.accept(draft)),
        change: (change) => seen(change.channelId, messageLog.change(change)),
        amend: (amendment) => seen(amendment.channelId, messageLog.amend(amendment)),
      }),
    onEvents: (events) => ({
      channel: (channelId, line) => {
        sightings.heard(channelId, line);
        events.channel(channelId, line);
      },
      everybody: (json) => {
        if (!answer(json)) events.everybody(json);
      },
      user: (userId, json) => events.user(userId, json),
      suspect: () => events.suspect(),
    }),
  };
}
