import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createLog } from '../src/index.ts';

test('[RUN-10] tokens, passwords, credentials and bodies are in no line, however deep they stand', () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', level: 'info' }, { write: (line) => lines.push(line) });
  const secrets = {
    token: 'SEEN1',
    password: 'SEEN2',
    authorization: 'SEEN3',
    connectionParams: { token: 'SEEN4' },
    body: 'SEEN5',
    cookie: 'SEEN6',
  };
  log.info(secrets, 'top');
  log.info({ call: secrets, channelId: 'kept' }, 'one down');
  log.info({ req: { headers: secrets, input: secrets } }, 'two down');
  log.info({ call: { input: { message: secrets } } }, 'three down');
  log.child({ token: 'SEEN7' }).info('child');
  const all = lines.join('');
  expect(all).not.toContain('SEEN');
  expect(all).toContain('kept');
  // Control: another field's value is shown.
  log.info({ title: 'SEEN' });
  expect(lines.at(-1)).toContain('SEEN');
});

/** An error as ioredis makes it: the command stands in it with what it carried. */
function replyError(message: string): Error {
  const command = { name: 'evalsha', args: ['sha', '{"body":"SEEN words"}'] };
  return Object.assign(new Error(message), { name: 'ReplyError', command });
}

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

test('[LOGS-1] an error says what it is and where, not what it was given', () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', level: 'info' }, { write: (line) => lines.push(line) });
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUVOIn0.SEENSEENSEEN';
  log.error({ err: replyError('OOM command not allowed') }, 'a reply');
  log.error({ err: replyError("ERR unknown command 'x', with args beginning with: 'SEEN words'") }, 'unknown');
  log.error({ err: new Error('outer', { cause: replyError('inner') }) }, 'a cause');
  log.error({ err: new AggregateError([replyError('one'), parseError('SEEN')], 'both') }, 'some');
  log.error({ err: parseError('{"body": SEEN words}') }, 'no JSON');
  log.error({ err: Object.assign(new Error('push failed'), { endpoint: 'https://push/SEEN', body: 'SEEN' }) }, 'push');
  log.error(
    { err: new Error(`connect redis://user:SEEN@host:1 failed for ${jwt}, Bearer SEEN.SEEN`) },
    `asked by ${jwt}`,
  );
  log.warn({ url: `/trpc/feed.inbox?ticket=SEEN_SEEN&x=1`, header: `Bearer ${jwt}` }, 'an address');
  log.info(
    { a: { b: { c: { d: { e: { body: 'SEEN', Authorization: 'SEEN', list: [{ token: 'SEEN' }] } } } } } },
    'deep',
  );
  const all = lines.join('');
  expect(all).not.toContain('SEEN');
  expect(lines).toHaveLength(9);
  // What is of use is there: kind, message, place in the code, cause.
  const [first, , third] = lines.map((line) => JSON.parse(line));
  expect(first.err).toMatchObject({ type: 'ReplyError', message: 'OOM command not allowed' });
  expect(first.err.stack).toContain('log.test.ts');
  expect(third.err).toMatchObject({ message: 'outer', cause: { type: 'ReplyError', message: 'inner' } });
  expect(all).toContain('redis://user:[hidden]@host:1');
});

test('[LOGS-1] control: as errors are written by default, what they were given is seen', () => {
  const lines: string[] = [];
  pino({}, { write: (line) => lines.push(line) }).error({ err: replyError('OOM') });
  expect(lines.join('')).toContain('SEEN words');
});
