/** What is wrong, and what ends it: a line each. A `fault` breaks a promise or a start; a `remark` will, or costs something. */
export interface Finding {
  readonly check: string;
  readonly level: 'fault' | 'remark';
  readonly fault: string;
  readonly cure: string;
}

/** A row of a table of checks: what it says of the facts, or null when they are as they should be. */
export interface Check<F> {
  readonly name: string;
  readonly level?: Finding['level'];
  readonly fault: (facts: F) => string | null;
  readonly cure: string;
}

/** What the checks of a table find in these facts. */
export function examine<F>(checks: readonly Check<F>[], facts: F): Finding[] {
  return checks.flatMap(({ name, level = 'fault', fault, cure }) => {
    const found = fault(facts);
    return found === null ? [] : [{ check: name, level, fault: found, cure }];
  });
}

/** A clock that is off by more than tokens are forgiven. */
const CLOCK_OFF_MAX_MS = 5_000;

/** The server's clock against ours, the way there and back left out. */
export function clockOffset(server: number, asked: number, answered: number): number {
  return Math.round(server - (asked + answered) / 2);
}

/** In words, when a clock is off by too much. */
export function clockFault(whose: string, offsetMs: number): string | null {
  if (Math.abs(offsetMs) <= CLOCK_OFF_MAX_MS) return null;
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  return `the clock of ${whose} is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} that of this machine`;
}
