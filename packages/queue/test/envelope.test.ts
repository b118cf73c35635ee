import { expect, test } from 'vitest';
import { JOB_VERSION, JOBS } from '../src/catalog.ts';
import { open, wrap } from '../src/envelope.ts';

const job = JOBS.persistLane;

test('what is wrapped is opened', () => {
  expect(open(job, wrap(job, { lane: 3 }))).toEqual({ type: 'payload', payload: { lane: 3 } });
});

test('a payload that no worker would run is not added', () => {
  expect(() => wrap(job, { lane: 64 })).toThrow();
});

test('[PERSIST-93] the version before this one is read', () => {
  expect(open(job, { v: JOB_VERSION - 1, lane: 3 })).toEqual({ type: 'payload', payload: { lane: 3 } });
});

test('[PERSIST-93] a newer version waits, whatever its shape', () => {
  expect(open(job, { v: JOB_VERSION + 1, lanes: 'all' })).toEqual({ type: 'newer', v: JOB_VERSION + 1 });
});

test.each([null, 'x', {}, { v: 1 }, { v: 1, lane: -1 }, { v: '1', lane: 1 }])('%j is malformed', (data) => {
  expect(open(job, data)).toMatchObject({ type: 'malformed' });
});
