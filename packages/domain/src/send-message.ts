import { type Answer, type Attachment, formatPosition, type Parsed, parsePosition } from '@parley/protocol';
import { Failure } from './failure.ts';
import { type FindDeps, findMessage, noSuchMessage } from './find-message.ts';
import type { CreatedPayload } from './log-line.ts';
import { stateOf } from './message-state.ts';
import { partitionOf } from './partition.ts';
import type { Attachments } from './ports/attachments.ts';
import type { Doorbell } from './ports/doorbell.ts';
import type { Limiter } from './ports/limiter.ts';
import type { Draft, MessageLog, Verdict } from './ports/message-log.ts';
import type { OperationIds } from './ports/operation-ids.ts';
import type { PersistWatch } from './ports/persist-watch.ts';
import { persistedAnswer, type SettleDeps, type Settled, settleOperation } from './settle-operation.ts';
import { useAttachments } from './use-attachments.ts';
import { viewChannel } from './view-channel.ts';

export interface SendDeps extends SettleDeps, FindDeps {
  readonly log: SettleDeps['log'] & Pick<MessageLog, 'accept'>;
  readonly archive: SettleDeps['archive'] & FindDeps['archive'];
  readonly limiter: Limiter;
  readonly doorbell: Doorbell;
  readonly watch: PersistWatch;
  readonly ids: OperationIds;
  readonly attachments: Pick<Attachments, 'use'>;
}

/** How long `ack: 'persisted'` waits before it answers, truthfully, `accepted`. */
export const PERSIST_WAIT_MS = 2_000;

type Sent = Exclude<Settled, { type: 'unchanged' }>;

/**
 * Sends a message: one round trip on the log store, one on the cache store only for who is near his limit, no database, but for one
 * statement where it carries attachments. The same `clientMsgId` again gives the same message. A call that throws anything but a final `Failure` has an
 * unknown outcome and may be repeated.
 */
export function sendMessage(deps: SendDeps) {
  const settle = settleOperation(deps);
  return async (senderId: string, input: Parsed<'message.send'>): Promise<Answer<'message.send'>> => {
    await takeSend(deps.limiter, senderId);
    const { channelId, clientMsgId } = input;
    using persisted = input.ack === 'persisted' ? await deps.watch.watch(channelId) : null;
    const messageId = deps.ids.message(channelId, senderId, clientMsgId);
    const attachments = await useAttachments(deps.attachments, { senderId, messageId, input });
    if (!attachments) return sentBefore(deps, { messageId, senderId, input });
    const draft = draftOf({ messageId, senderId, input, attachments });
    const sent = await settle({
      channelId,
      actorId: senderId,
      operationId: clientMsgId,
      repeat: input.op,
      put: () => (draft.threadOf === undefined ? deps.log.accept(draft) : acceptReply(deps, draft, draft.threadOf)),
    });
    if (sent.type === 'unchanged') throw new Failure('UNAVAILABLE', 'the log gave no position');
    if (sent.type === 'accepted' && sent.first) deps.doorbell.ring(partitionOf(channelId));
    const answer = answerOf(sent, draft.messageId, deps.log.epochOf(channelId));
    if (persisted && answer.level === 'accepted' && (await persisted.until(answer.position, PERSIST_WAIT_MS))) {
      return { ...answer, level: 'persisted' };
    }
    return answer;
  };
}

/** The log counts the replies of a thread: it is told of the message above it when it does not know that one. */
async function acceptReply(deps: SendDeps, draft: Draft, messageId: string): Promise<Verdict> {
  const { channelId, senderId } = draft;
  const verdict = await deps.log.accept(draft);
  if (verdict.type === 'forbidden') throw new Failure('INVALID', 'a thread has no threads');
  if (verdict.type !== 'unknown') return verdict;
  const view = await viewChannel(deps)(channelId, senderId);
  if (!view) throw new Failure('UNAVAILABLE', 'The message log is away.', { retryAfterMs: 1_000 });
  const message = await findMessage(deps, view, { channelId, messageId });
  if (!message) throw noSuchMessage();
  const known = { epoch: view.epoch, states: { [messageId]: stateOf(message) } };
  const again = await deps.log.accept({ ...draft, known });
  if (again.type === 'forbidden') throw new Failure('INVALID', 'a thread has no threads');
  // The epoch changed between the look and the call.
  return again.type === 'unknown' ? { type: 'epoch' } : again;
}

async function takeSend(limiter: Limiter, senderId: string): Promise<void> {
  const { allowed, retryAfterMs } = await limiter.take('message.send', senderId);
  if (!allowed) throw new Failure('RATE_LIMITED', 'too many messages', { retryAfterMs });
}

interface Resending {
  readonly messageId: string;
  readonly senderId: string;
  readonly input: Parsed<'message.send'>;
}

interface Sending extends Resending {
  readonly attachments: readonly Attachment[];
}

/** The attachments of a message that was deleted meanwhile are gone, and its send is as good as ever. */
async function sentBefore(deps: SendDeps, { messageId, senderId, input }: Resending): Promise<Answer<'message.send'>> {
  const { channelId, clientMsgId } = input;
  const known = await persistedAnswer(deps, { channelId, actorId: senderId, operationId: clientMsgId });
  if (known) return answerOf(known, messageId, deps.log.epochOf(channelId));
  throw new Failure('INVALID', 'an attachment is not ready, not yours, of another channel, or sent already');
}

function draftOf({ messageId, senderId, input, attachments }: Sending): Draft {
  const { channelId, clientMsgId } = input;
  const payload: CreatedPayload = {
    id: messageId,
    channelId,
    clientMsgId,
    senderId,
    body: input.body,
    replyTo: input.replyTo ?? null,
    threadOf: input.threadOf ?? null,
    attachmentIds: input.attachmentIds ?? [],
    ...(attachments.length > 0 && { attachments }),
    mentions: input.mentions ?? [],
    encrypted: input.encrypted ?? null,
  };
  const json = JSON.stringify(payload);
  const mentions = [...new Set(payload.mentions)];
  const { threadOf } = input;
  return { channelId, senderId, clientMsgId, messageId, json, mentions, ...(threadOf !== undefined && { threadOf }) };
}

/**
 * `current` is this node's epoch by now. A position that is only accepted may be of an older one: then that one is named, for the client
 * takes what it accepted in the named epoch for safe in it.
 */
function answerOf(sent: Sent, messageId: string, current: number): Answer<'message.send'> {
  if (sent.type === 'accepted') {
    const { place } = sent;
    const position = formatPosition(place);
    return { epoch: place.epoch, messageId, position, sentAt: place.at, level: 'accepted', duplicate: false };
  }
  const { id, position, at, level } = sent;
  const epoch = level === 'accepted' ? parsePosition(position).epoch : current;
  return { epoch, messageId: id, position, sentAt: at, level, duplicate: true };
}
