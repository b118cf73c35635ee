import { describe, expect, it } from 'vitest';
import { createConnectionTable, UserConnections } from '../src/user-connections.ts';

const ADA = 'a0000000-0000-4000-8000-00000000000a';
const BOB = 'b0000000-0000-4000-8000-00000000000b';
/** Shares Ada's entry of the table. */
const EVE = 'e0000000-0000-4000-8000-00000000000a';

describe('connections of a user', () => {
  it('[LIMIT-20] are counted over all threads of the process', () => {
    const table = createConnectionTable(2);
    const [first, second] = [0, 1].map((slot) => new UserConnections({ max: 2, table, slot }));
    const leave = first?.enter(ADA);
    expect(second?.enter(ADA)).toBeTypeOf('function');
    expect(first?.enter(ADA)).toBeNull();
    expect(second?.enter(ADA)).toBeNull();
    expect(second?.enter(BOB)).toBeTypeOf('function');
    leave?.();
    leave?.();
    expect(second?.enter(ADA)).toBeTypeOf('function');
    expect(first?.enter(ADA)).toBeNull();
  });

  it('[LIMIT-20] control: with a table for each thread the user has as many on each', () => {
    const threads = [0, 1].map(() => new UserConnections({ max: 1, table: createConnectionTable(1), slot: 0 }));
    expect(threads.map((thread) => thread.enter(ADA) !== null)).toEqual([true, true]);
  });

  it('[LIMIT-20] are forgotten with the thread that held them', () => {
    const table = createConnectionTable(2);
    const second = new UserConnections({ max: 1, table, slot: 1 });
    expect(new UserConnections({ max: 1, table, slot: 0 }).enter(ADA)).toBeTypeOf('function');
    expect(second.enter(ADA)).toBeNull();
    new UserConnections({ max: 1, table, slot: 0 });
    expect(second.enter(ADA)).toBeTypeOf('function');
  });

  it('[LIMIT-20] are not taken for those of another user on one thread', () => {
    const connections = new UserConnections({ max: 1, table: createConnectionTable(1), slot: 0 });
    expect(connections.enter(ADA)).toBeTypeOf('function');
    expect(connections.enter(EVE)).toBeTypeOf('function');
  });
});
