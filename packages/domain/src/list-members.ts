import type { Answer, Member, Parsed, User } from '@parley/protocol';
import { isAsOf, versionKey } from './copy-keys.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews, Cursors } from './ports/channel-view.ts';
import type { Copies, CopyShapes } from './ports/copies.ts';
import { positionAt } from './read-receipt.ts';
import { type MemberView, orWhenAway, type ViewDeps, viewChannel } from './view-channel.ts';

export interface ListMembersDeps extends ViewDeps {
  readonly views: ViewDeps['views'] & Pick<ChannelViews, 'cursors'>;
  readonly archive: ViewDeps['archive'] & Pick<Archive, 'members' | 'users'>;
  readonly copies: Pick<Copies, 'one'>;
}

type Page = Pick<Answer<'member.list'>, 'items' | 'nextCursor'>;

/**
 * A channel's members with their cursors as the log store has them; Postgres' are up to some seconds behind. No statement where there
 * are copies of the page and of the profiles.
 */
export function listMembers(deps: ListMembersDeps) {
  const view = viewChannel(deps);
  return async (userId: string, input: Parsed<'member.list'>): Promise<Answer<'member.list'>> => {
    const { channelId } = input;
    const seen = await view(channelId, userId);
    const page = await pageOf(deps, seen, input);
    const userIds = page.items.map((member) => member.userId);
    const none: Cursors[] = [];
    const cursors = seen ? await orWhenAway(() => deps.views.cursors(channelId, userIds), none) : none;
    return { items: page.items.map((member, i) => freshened(member, cursors[i])), nextCursor: page.nextCursor };
  };
}

async function pageOf(
  deps: ListMembersDeps,
  seen: MemberView | null,
  { channelId, cursor, limit }: Parsed<'member.list'>,
): Promise<Page> {
  const read = () => deps.archive.members(channelId, { cursor: cursor ?? null, limit });
  if (!seen) return read();
  const first: { page: Page | null } = { page: null };
  const copy = await deps.copies.one('members', `${versionKey(channelId, seen)}:${limit}:${cursor ?? ''}`, async () => {
    const { asOf, ...page } = await read();
    first.page = page;
    return { value: withoutUsers(page), keep: isAsOf(asOf, seen) };
  });
  return first.page ?? withUsers(copy, await deps.archive.users(copy.items.map((seat) => seat.userId)));
}

function withoutUsers({ items, nextCursor }: Page): CopyShapes['members'] {
  return { items: items.map(({ user, ...seat }) => seat), nextCursor };
}

function withUsers({ items, nextCursor }: CopyShapes['members'], users: readonly User[]): Page {
  const byId = new Map(users.map((user) => [user.id, user]));
  const members = items.flatMap((seat): Member[] => {
    const user = byId.get(seat.userId);
    return user ? [{ ...seat, user }] : [];
  });
  return { items: members, nextCursor };
}

function freshened(member: Member, cursors: Cursors | undefined): Member {
  return {
    ...member,
    deliveredTo: positionAt(cursors?.deliveredTo ?? null) ?? member.deliveredTo,
    readTo: positionAt(cursors?.readTo ?? null) ?? member.readTo,
  };
}
