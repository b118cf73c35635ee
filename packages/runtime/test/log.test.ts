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
