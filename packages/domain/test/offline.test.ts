import { describe, expect, it } from 'vitest';
import {
  compareUnread,
  digestMail,
  type HeaderSnapshot,
  isPushEndpoint,
  isQuiet,
  type Notice,
  noticeText,
  noticeTitle,
  PUSH_HOSTS_DEFAULT,
  pushPayload,
  type StandingHeader,
  subscribePush,
} from '../src/index.ts';

describe('[OFF-5] a push endpoint', () => {
  const rules = { hosts: PUSH_HOSTS_DEFAULT, loopback: false };

  it.each([
    'https://fcm.googleapis.com/fcm/send/x',
    'https://updates.push.services.mozilla.com/wpush/v2/x',
    'https://web.push.apple.com/x',
    'https://wns2-par02p.notify.windows.com/w/?token=x',
  ])('is %s', (endpoint) => expect(isPushEndpoint(endpoint, rules)).toBe(true));

  it.each([
    'http://fcm.googleapis.com/x',
    'https://fcm.googleapis.com:8443/x',
    'https://user:word@fcm.googleapis.com/x',
    'https://fcm.googleapis.com.evil.example/x',
    'https://evilnotify.windows.com/x',
    'https://notify.windows.com/x',
    'https://10.0.0.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/x',
    'http://127.0.0.1:6379/x',
    'http://[::1]/x',
    'ftp://fcm.googleapis.com/x',
    'not a url',
  ])('is not %s', (endpoint) => expect(isPushEndpoint(endpoint, rules)).toBe(false));

  it('may be this machine outside of production', () => {
    expect(isPushEndpoint('http://127.0.0.1:4000/x', { ...rules, loopback: true })).toBe(true);
    expect(isPushEndpoint('http://10.0.0.1:4000/x', { ...rules, loopback: true })).toBe(false);
  });

  it('that is none, or has no usable keys, is refused and not kept', async () => {
    const kept: string[] = [];
    const push = { subscribe: async (_: string, { endpoint }: { endpoint: string }) => void kept.push(endpoint) };
    const deps = { push: { ...push, unsubscribe: async () => {} }, pushKey: 'key', pushRules: rules };
    const keys = { p256dh: Buffer.alloc(65).toString('base64url'), auth: Buffer.alloc(16).toString('base64url') };
    const endpoint = 'https://fcm.googleapis.com/x';
    const subscribe = subscribePush(deps);
    await expect(subscribe('u', { endpoint: 'https://10.0.0.1/x', keys })).rejects.toMatchObject({ code: 'INVALID' });
    await expect(subscribe('u', { endpoint, keys: { ...keys, auth: 'x' } })).rejects.toMatchObject({ code: 'INVALID' });
    await expect(subscribePush({ ...deps, pushKey: null })('u', { endpoint, keys })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(kept).toEqual([]);
    expect(await subscribe('u', { endpoint, keys })).toEqual({ subscribed: true });
    expect(kept).toEqual([endpoint]);
  });
});

describe('[OFF-8] quiet hours', () => {
  const at = (time: string) => Date.parse(`2026-11-25T${time}:00Z`);
  const night = { from: '22:00', to: '07:00', timeZone: 'Europe/Berlin' };

  it.each([
    ['20:59', false],
    ['21:00', true],
    ['23:30', true],
    ['05:59', true],
    ['06:00', false],
  ])('at %s UTC in Berlin from 22:00 to 07:00: %s', (time, quiet) => expect(isQuiet(night, at(time))).toBe(quiet));

  it('within a day, without any, and in a time zone that nobody knows', () => {
    expect(isQuiet({ from: '12:00', to: '13:00', timeZone: 'UTC' }, at('12:30'))).toBe(true);
    expect(isQuiet({ from: '12:00', to: '13:00', timeZone: 'UTC' }, at('13:00'))).toBe(false);
    expect(isQuiet(null, at('03:00'))).toBe(false);
    expect(isQuiet({ from: '12:00', to: '13:00', timeZone: 'Atlantis/Poseidonis' }, at('12:30'))).toBe(true);
  });
});

function notice(bodies: readonly (string | null)[], detail: Partial<Notice['channel']> = {}): Notice {
  return {
    userId: 'u',
    outlet: 'email',
    channel: { id: 'c', kind: 'group', name: 'Plans', encrypted: false, ...detail },
    after: { epoch: 1, n: 0 },
    upTo: { epoch: 1, n: bodies.length },
    count: bodies.length,
    messages: bodies.map((body, i) => ({
      id: `m${i}`,
      place: { epoch: 1, n: bodies.length - i },
      senderId: 'a',
      senderName: 'Ada',
      sentAt: 1,
      body,
    })),
  };
}

describe('[OFF-6] what a notice says', () => {
  it('names who or where, and shows the newest message', () => {
    expect([noticeTitle(notice(['Hi'])), noticeText(notice(['Hi']))]).toEqual(['Plans', 'Ada: Hi']);
    const direct = notice(['Hi', 'before'], { kind: 'direct', name: null });
    expect([noticeTitle(direct), noticeText(direct)]).toEqual(['Ada', 'Hi (2 new messages)']);
    expect(noticeText(notice([' a\n\n b '.repeat(100)]))).toHaveLength('Ada: '.length + 120);
  });

  it('shows nothing of an encrypted message', () => {
    expect(noticeText(notice([null]))).toBe('New message');
    expect(noticeText(notice([null, 'open']))).toBe('2 new messages');
    expect(pushPayload(notice([null, 'open']), 'id')).not.toContain('open');
  });
});

describe('[OFF-11] a digest', () => {
  it('counts each channel, quotes the newest that may be shown, and nothing that is encrypted', () => {
    const mail = digestMail(
      { name: 'Bob' },
      [notice(['c', 'b', 'a', 'z']), notice([null, null], { name: 'Secret' })],
      null,
    );
    expect(mail.subject).toBe('6 messages unread');
    expect(mail.text).toContain('Plans: 4 messages\n  Ada: a\n  Ada: b\n  Ada: c\n');
    expect(mail.text).toContain('Secret: 2 messages\n');
    expect(mail.text).not.toContain('Ada: z');
  });

  it('writes what people wrote as text', () => {
    const mail = digestMail(
      { name: '<b>' },
      [notice(['<img src=x onerror="1">'], { name: '"&\'' })],
      'https://a.example/?a=1&b',
    );
    expect(mail.html).toContain('&lt;img src=x onerror=&quot;1&quot;&gt;');
    expect(mail.html).toContain('&quot;&amp;&#39;');
    expect(mail.html).toContain('href="https://a.example/?a=1&amp;b"');
    expect(mail.html).not.toMatch(/<b>|<img/);
  });
});

describe('[JOB-10] unread counts are compared', () => {
  const counted = (unread: number, n = 5): HeaderSnapshot => ({
    epoch: 7,
    version: 1,
    memberLimit: 10,
    holes: [],
    archivedAt: null,
    deleted: [],
    head: { position: `7-${n}`, m: n, at: 1 },
    members: [
      {
        userId: 'u',
        rank: 2,
        silencedUntilMs: 0,
        readTo: { position: '7-2', at: 1 },
        deliveredTo: null,
        mentions: [],
        unread,
      },
      { userId: 'new', rank: 2, silencedUntilMs: 0, readTo: null, deliveredTo: null, mentions: [], unread: 0 },
    ],
  });
  const standing = (readN: number): StandingHeader => ({
    epoch: 7,
    headPosition: '7-5',
    members: new Map([
      ['u', { readTo: { epoch: 7, n: readN, m: readN, at: 1 }, unread: 3 }],
      ['new', { readTo: { epoch: 0, n: 0, m: 5, at: 0 }, unread: 0 }],
    ]),
  });

  it('where head and cursor are the same', () => {
    expect(compareUnread(standing(2), counted(3))).toEqual([]);
    expect(compareUnread(standing(2), counted(4))).toEqual([{ userId: 'u', standing: 3, counted: 4 }]);
    expect(compareUnread(standing(3), counted(4))).toEqual([]);
    expect(compareUnread(standing(2), counted(4, 6))).toBeNull();
  });
});
