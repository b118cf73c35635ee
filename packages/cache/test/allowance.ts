import type { Allowance } from '../src/allowances.ts';

export const rate = (costMs: number, burst: number): Allowance => ({ type: 'rate', costMs, burst });
export const span = (spanMs: number, calls: number): Allowance => ({ type: 'span', spanMs, calls });
