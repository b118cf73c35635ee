import { describe, expect, it } from 'vitest';
import { FAULT_NAMES } from '../packages/testing/test/model/actions.ts';
import { parseOptions } from './model/options.ts';

describe('options of the model', () => {
  it('[MODEL-1] are read, and what is wrong with one is said', () => {
    const words = ['--runs', '3', '--seed', '7', '--only', 'fail over, replicate', '--without', 'outbox', '--trail'];
    const read = { runs: 3, seed: 7, actions: 80, only: ['fail over', 'replicate'], without: 'outbox', trail: true };
    expect(parseOptions(words)).toEqual({ ...read, all: false });
    expect(parseOptions([])).toMatchObject({ runs: 500, seed: 1, only: FAULT_NAMES, without: null });
    expect(parseOptions(['--only', 'none'])).toMatchObject({ only: [] });
    const wrong = (...argv: string[]) => expect(() => parseOptions(argv), argv.join(' ')).toThrow(argv.at(0));
    wrong('--runs', '0');
    wrong('--seed', 'x');
    wrong('--actions', '1.5');
    wrong('--only', 'earthquake');
    wrong('--without', 'luck');
  });
});
