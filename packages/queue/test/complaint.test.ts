import { createLog } from '@parley/runtime';
import { expect, test } from 'vitest';
import { createComplaint } from '../src/complaint.ts';

test('a thousand errors are a line now and a line later that counts them', () => {
  const lines: { times: number; msg: string }[] = [];
  const log = createLog({ name: 'test', level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  let now = 0;
  const complain = createComplaint({ log, message: 'trouble', everyMs: 1_000, now: () => now });
  for (let i = 0; i < 1_000; i++) complain(new Error('away'));
  now = 1_000;
  complain(new Error('away'));
  expect(lines).toMatchObject([
    { msg: 'trouble', times: 1 },
    { msg: 'trouble', times: 1_000 },
  ]);
});
