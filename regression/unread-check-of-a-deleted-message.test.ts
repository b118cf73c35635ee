import { compareUnread, type HeaderSnapshot, type StandingHeader } from '@parley/domain';
import { expect, test } from 'vitest';

// The log store leaves out what was deleted; a header as Postgres counts it does not, and was held against it as it was: an alarm, and
// a header that was thrown away, wherever a deleted message was unread.
test('[JOB-10] a deleted message that is unread is no difference', () => {
  const read = { epoch: 7, n: 2, m: 2, at: 1 };
  const standing: StandingHeader = {
    epoch: 7,
    headPosition: '7-5',
    members: new Map([['u', { readTo: read, unread: 2 }]]),
  };
  const member = { userId: 'u', rank: 2, silencedUntilMs: 0, deliveredTo: null, mentions: [] };
  const counted: HeaderSnapshot = {
    epoch: 7,
    version: 1,
    memberLimit: 10,
    holes: [],
    archivedAt: null,
    // One that he had read already, one that he has not.
    deleted: ['7-1', '7-4'],
    head: { position: '7-5', m: 5, at: 1 },
    members: [{ ...member, readTo: { position: '7-2', at: 1 }, unread: 3 }],
  };
  expect(compareUnread(standing, counted)).toEqual([]);
  expect(compareUnread({ ...standing, members: new Map([['u', { readTo: read, unread: 3 }]]) }, counted)).toEqual([
    { userId: 'u', standing: 3, counted: 2 },
  ]);
});
