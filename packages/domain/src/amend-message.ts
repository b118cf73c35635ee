import { type Answer, formatPosition, type Parsed, parsePosition } from '@parley/protocol';
import { Failure } from './failure.ts';
import { type FindDeps, findMessage, noSuchMessage } from './find-message.ts';
import { type AmendPayload, ENTRY_KINDS } from './log-line.ts';
import { reactionsOf, type StoredMessage, stateOf } from './message-state.ts';
import { partitionOf } from './partition.ts';
import type { Doorbell } from './ports/doorbell.ts';
import type { Amendment, Known, MessageLog, Verdict } from './ports/message-log.ts';
import type { OperationIds } from './ports/operation-ids.ts';
import { LEAST_RANK } from './ranks.ts';
import { type SettleDeps, type Settled, settleOperation } from './settle-operation.ts';
import { type MemberView, viewChannel } from './view-channel.ts';

export interface AmendDeps extends SettleDeps, FindDeps {
  readonly log: SettleDeps['log'] & Pick<MessageLog, 'amend'>;
  readonly archive: SettleDeps['archive'] & FindDeps['archive'];
  readonly doorbell: Doorbell;
  readonly ids: OperationIds;
}

type MessageChange = Exclude<Amendment['change'], { kind: 'h' }>;

interface Request {
  readonly channelId: string;
  readonly messageId: string;
  readonly op?:
    | { readonly id: string; readonly epoch?: number | undefined; readonly triedIn?: number | undefined }
    | undefined;
}

/** Edits one's own message: an entry of its own. The message keeps its place and whom it mentions. */
export function editMessage(deps: AmendDeps) {
  const amend = amendMessage(deps);
  return async (userId: string, input: Parsed<'message.edit'>): Promise<Answer<'message.edit'>> => {
    const { channelId, messageId, body } = input;
    const { view, message } = await lookUp(deps, userId, input);
    if (message.encrypted) throw new Failure('INVALID', 'an encrypted message cannot be edited');
    const { id, clientMsgId, senderId, replyTo, threadOf, mentions, attachments, encrypted, sentAt } = message;
    const carried = { attachmentIds: attachments.map((attachment) => attachment.id), attachments };
    const said = { id, channelId, clientMsgId, senderId, replyTo, threadOf, ...carried, encrypted, sentAt };
    const settled = await amend(userId, input, {
      change: { kind: ENTRY_KINDS.edited, messageId, body },
      payload: { message: { ...said, mentions: [...mentions] } },
      known: { epoch: view.epoch, states: { [messageId]: stateOf(message) } },
    });
    const answer = answerOf(deps, input, settled);
    return { ...answer, editedAt: timeOf(settled) };
  };
}

/** Deletes one's own message, or as a moderator anybody's: its words are gone for everybody, its place stays. */
export function deleteMessage(deps: AmendDeps) {
  const amend = amendMessage(deps);
  return async (userId: string, input: Parsed<'message.delete'>): Promise<Answer<'message.delete'>> => {
    const { messageId } = input;
    const settled = await amend(userId, input, { change: { kind: ENTRY_KINDS.deleted, messageId }, payload: {} });
    return { ...answerOf(deps, input, settled), deletedAt: timeOf(settled) };
  };
}

/** Adds a reaction or takes it back. What is so already stays so, and takes no entry. */
export function react(deps: AmendDeps, added: boolean) {
  const amend = amendMessage(deps);
  return async (userId: string, input: Parsed<'reaction.add'>): Promise<Answer<'reaction.add'>> => {
    const { channelId, messageId, emoji } = input;
    const settled = await amend(userId, input, {
      change: { kind: ENTRY_KINDS.reacted, messageId, emoji, added },
      payload: { reaction: { emoji, added } },
    });
    const [states] = await deps.views.states([
      { channelId, since: { epoch: deps.log.epochOf(channelId), n: 0 }, ids: [messageId] },
    ]);
    const state = states?.[0] ?? null;
    const reactors = (state ?? (await deps.archive.message(channelId, messageId)))?.reactors ?? {};
    const reactions = reactionsOf(reactors, userId);
    if (settled.type === 'unchanged') {
      return { epoch: deps.log.epochOf(channelId), position: null, level: 'accepted', reactions };
    }
    const { epoch, position, level } = answerOf(deps, input, settled);
    return { epoch, position, level, reactions };
  };
}

interface Amending {
  readonly change: MessageChange;
  readonly payload: Pick<AmendPayload, 'reaction' | 'message'>;
  readonly known?: Known;
}

function amendMessage(deps: AmendDeps) {
  const settle = settleOperation(deps);
  return async (actorId: string, request: Request, { change, payload, known }: Amending): Promise<Settled> => {
    const { channelId, messageId, op } = request;
    const operationId = op?.id ?? deps.ids.fresh();
    const json: Omit<AmendPayload, 'state' | 'thread'> = { id: operationId, channelId, actorId, messageId, ...payload };
    const leastRank = LEAST_RANK['message.delete'];
    const amendment: Amendment = { channelId, actorId, operationId, leastRank, change, json: JSON.stringify(json) };
    const put = async (): Promise<Verdict> => {
      const verdict = await deps.log.amend(known ? { ...amendment, known } : amendment);
      if (verdict.type !== 'unknown') return verdict;
      return deps.log.amend({ ...amendment, known: await knownOf(deps, actorId, request) });
    };
    const settled = await settle({
      channelId,
      actorId,
      operationId,
      repeat: op,
      put: async () => judge(change, await put()),
    });
    if (settled.type === 'accepted' && settled.first) deps.doorbell.ring(partitionOf(channelId));
    return settled;
  };
}

function judge(change: MessageChange, verdict: Verdict): Verdict {
  switch (verdict.type) {
    case 'gone':
      if (change.kind !== ENTRY_KINDS.deleted) throw noSuchMessage();
      // It is deleted, as was asked. Of somebody else's deletion Postgres knows nothing by this operation's id.
      if (verdict.settled) return { type: 'standing', id: change.messageId, place: verdict.place };
      return { type: 'duplicate', id: change.messageId, place: verdict.place, settled: false };
    case 'full':
      throw new Failure('INVALID', 'the message has too many different reactions');
    case 'unknown':
      // The epoch changed between the look and the call.
      return { type: 'epoch' };
    default:
      return verdict;
  }
}

/** What the log store must know of a message, and of the one whose thread it is in, before it changes the first. */
async function knownOf(deps: AmendDeps, userId: string, request: Request): Promise<Known> {
  const { view, message } = await lookUp(deps, userId, request);
  const { channelId, messageId } = request;
  const parentId = message.threadOf;
  const parent = parentId === null ? null : await findMessage(deps, view, { channelId, messageId: parentId });
  if (parentId === null || !parent) {
    return { epoch: view.epoch, states: { [messageId]: { ...stateOf(message), threadOf: null } } };
  }
  return { epoch: view.epoch, states: { [messageId]: stateOf(message), [parentId]: stateOf(parent) } };
}

async function lookUp(
  deps: AmendDeps,
  userId: string,
  request: Request,
): Promise<{ view: MemberView; message: StoredMessage }> {
  const view = await viewChannel(deps)(request.channelId, userId);
  if (!view) throw new Failure('UNAVAILABLE', 'The message log is away.', { retryAfterMs: 1_000 });
  const message = await findMessage(deps, view, request);
  if (!message) throw noSuchMessage();
  return { view, message };
}

type Put = Exclude<Settled, { type: 'unchanged' }>;

function timeOf(settled: Settled): number {
  if (settled.type === 'unchanged') throw new Failure('UNAVAILABLE', 'the log gave no position');
  return settled.type === 'accepted' ? settled.place.at : settled.at;
}

function answerOf(deps: Pick<AmendDeps, 'log'>, { channelId, messageId }: Request, settled: Settled) {
  if (settled.type === 'unchanged') throw new Failure('UNAVAILABLE', 'the log gave no position');
  return { messageId, ...standingOf(settled, deps.log.epochOf(channelId)) };
}

/** See `sendMessage`: a position that is only accepted names its own epoch, for the client takes what it accepted there for safe in it. */
function standingOf(settled: Put, current: number) {
  if (settled.type === 'accepted') {
    const { place } = settled;
    return { epoch: place.epoch, position: formatPosition(place), level: 'accepted' as const, duplicate: false };
  }
  const { position, level } = settled;
  return { epoch: level === 'accepted' ? parsePosition(position).epoch : current, position, level, duplicate: true };
}
