import type { Answer, Member, Parsed } from '@parley/protocol';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews, Cursors } from './ports/channel-view.ts';
import { positionAt } from './read-receipt.ts';
import { orWhenAway, type ViewDeps, viewChannel } from './view-channel.ts';

export interface ListMembersDeps extends ViewDeps {
  readonly views: ViewDeps['views'] & Pick<ChannelViews, 'cursors'>;
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'members'>;
}

/** A channel's members with their cursors as the log store has them; Postgres' are up to some seconds behind. */
export function listMembers(deps: ListMembersDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'member.list'>): Promise<Answer<'member.list'>> => {
    const { channelId, cursor, limit } = input;
    const seen = await view(channelId, userId);
    const page = await deps.archive.members(channelId, { cursor: cursor ?? null, limit });
    const userIds = page.items.map((member) => member.userId);
    const none: Cursors[] = [];
    const cursors = seen ? await orWhenAway(() => deps.views.cursors(channelId, userIds), none) : none;
    return { items: page.items.map((member, i) => freshened(member, cursors[i])), nextCursor: page.nextCursor };
  };
}

function freshened(member: Member, cursors: Cursors | undefined): Member {
  return {
    ...member,
    deliveredTo: positionAt(cursors?.deliveredTo ?? null) ?? member.deliveredTo,
    readTo: positionAt(cursors?.readTo ?? null) ?? member.readTo,
  };
}
