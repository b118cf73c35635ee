import { Failure } from '@parley/domain';
import { createLog, createMetrics } from '@parley/runtime';
import { TRPCError } from '@trpc/server';
import { describe, expect, it } from 'vitest';
import { createFailureReport } from '../src/call-failures.ts';
import { rememberSubject } from '../src/call-subjects.ts';
import { errorIdOf } from '../src/error-shape.ts';

function desk(level = 'debug') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ name: 'test', level }, { write: (line) => lines.push(JSON.parse(line)) });
  const clock = { at: 0, now: () => clock.at };
  const report = createFailureReport(log, createMetrics(), clock);
  const fail = (cause: Error, path = 'message.send') => {
    const error = new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause });
    report({ error, path });
    return error;
  };
  return { lines, clock, fail };
}

const LEVELS = { debug: 20, warn: 40, error: 50 };

describe('what is written of a call that failed', () => {
  it('[LOGS-2] our own fault: a line each, under the id that the client got, with what it was about and nothing that was said', () => {
    const { lines, fail } = desk();
    const [one, two] = [new Error('broken'), new Error('broken')];
    const input = {
      channelId: 'c1',
      clientMsgId: 'm1',
      body: 'SEEN',
      mentions: ['SEEN'],
      op: { id: 'SEEN words, no id' },
    };
    rememberSubject(one, 'u1', input);
    const errors = [fail(one), fail(two)];
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ level: LEVELS.error, path: 'message.send', userId: 'u1', channelId: 'c1' });
    expect(lines[0]).toMatchObject({ clientMsgId: 'm1', err: { message: 'broken' } });
    expect(lines.map(({ errorId }) => errorId)).toEqual(errors.map(errorIdOf));
    expect(JSON.stringify(lines)).not.toContain('SEEN');
  });

  it('[LOGS-2] a refusal: as loud as whoever threw it says, and not at all by default', () => {
    const { lines, fail } = desk();
    fail(new Failure('INVALID', 'no'));
    expect(lines).toEqual([]);
    fail(new Failure('UNAVAILABLE', 'away', { cause: new Error('lost') }));
    fail(new Failure('BACKPRESSURE', 'full', { level: 'error' }));
    fail(new Failure('CONFLICT', 'odd', { level: 'warn' }));
    expect(lines.map(({ level, code }) => [code, level])).toEqual([
      ['UNAVAILABLE', LEVELS.debug],
      ['BACKPRESSURE', LEVELS.error],
      ['CONFLICT', LEVELS.warn],
    ]);
  });

  it('[LOGS-2] thousands of a kind are one line, and the next says how many there were', () => {
    const { lines, clock, fail } = desk();
    const full = () => fail(new Failure('BACKPRESSURE', 'full', { level: 'error' }));
    for (let i = 0; i < 1_000; i++) full();
    fail(new Failure('BACKPRESSURE', 'full', { level: 'error' }), 'message.edit');
    expect(lines.map(({ path, times }) => [path, times])).toEqual([
      ['message.send', 1],
      ['message.edit', 1],
    ]);
    clock.at = 10_000;
    full();
    expect(lines.at(-1)).toMatchObject({ path: 'message.send', times: 1_000 });
  });
});
