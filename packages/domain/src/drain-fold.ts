import type { WritableEntry } from './drain-entry.ts';
import { ENTRY_KINDS } from './log-line.ts';
import type { AmendedRow, ChannelStateRow, CreatedRow, DrainBatch, MentionRow, ReactionRow } from './ports/drain.ts';

type Entry<T extends WritableEntry['type']> = Extract<WritableEntry, { type: T }>;

/** Messages and what became of them within the batch: a change of one that the batch creates is part of its creation. */
export function foldMessages(
  entries: readonly WritableEntry[],
): Pick<DrainBatch, 'created' | 'amended' | 'reactions' | 'mentions'> {
  const created = new Map<string, CreatedRow>();
  const amended = new Map<string, AmendedRow>();
  const reactions = new Map<string, ReactionRow>();
  const mentions: MentionRow[] = [];
  const twins: CreatedRow[] = [];
  for (const entry of entries) {
    if (entry.type === 'created') {
      const row = createdRow(entry);
      // Of twins the first stands, and what was changed of it meanwhile.
      if (created.has(row.id)) twins.push(row);
      else created.set(row.id, row);
      mentions.push(...mentionRows(entry));
    } else if (entry.type === 'amended') {
      const row = amendedRow(entry);
      const fresh = created.get(row.messageId);
      if (fresh) created.set(fresh.id, amend(fresh, row));
      else amended.set(row.messageId, row);
      const reaction = reactionRow(entry);
      if (reaction) reactions.set(`${reaction.messageId} ${reaction.userId} ${reaction.emoji}`, reaction);
    }
  }
  return {
    created: [...created.values(), ...twins],
    amended: [...amended.values()],
    reactions: [...reactions.values()],
    mentions,
  };
}

/** The last change of each channel says the whole. */
export function foldChannels(entries: readonly Entry<'channel'>[]): ChannelStateRow[] {
  const rows = new Map<string, ChannelStateRow>();
  for (const { logged, payload } of entries) {
    const { channelId, version, state } = payload;
    const { name, topic, avatarUrl, archivedAt } = state;
    rows.set(channelId, { partition: logged.partition, channelId, version, name, topic, avatarUrl, archivedAt });
  }
  return [...rows.values()];
}

function createdRow({ logged, place, payload }: Entry<'created'>): CreatedRow {
  return { ...payload, partition: logged.partition, place, editedAt: null, deletedAt: null };
}

function amendedRow({ logged, payload }: Entry<'amended'>): AmendedRow {
  const { channelId, messageId, state } = payload;
  const { body, editedAt, deletedAt } = state;
  return { partition: logged.partition, channelId, messageId, body, editedAt, deletedAt };
}

function amend(created: CreatedRow, { body, editedAt, deletedAt }: AmendedRow): CreatedRow {
  return { ...created, body, editedAt, deletedAt };
}

function reactionRow({ logged, kind, place, payload }: Entry<'amended'>): ReactionRow | null {
  const { channelId, messageId, actorId, reaction } = payload;
  if (kind !== ENTRY_KINDS.reacted || !reaction) return null;
  return { partition: logged.partition, channelId, messageId, userId: actorId, at: place.at, ...reaction };
}

function mentionRows({ logged, place, payload }: Entry<'created'>): MentionRow[] {
  const { channelId, senderId, mentions } = payload;
  const others = [...new Set(mentions)].filter((userId) => userId !== senderId);
  return others.map((userId) => ({ partition: logged.partition, channelId, userId, place }));
}
