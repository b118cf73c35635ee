import { chanceOf } from '../../packages/testing/src/chance.ts';
import { FAULT_NAMES, FAULTS, type FaultName } from './fault-list.ts';

/** The faults of one round: one, or two at the same time. */
export type Round = readonly FaultName[];

/**
 * The rounds of a run, without end: first each fault by itself, in an order that the seed gives, then pairs that harm different things.
 * The same seed gives the same rounds.
 */
export function* planOf(seed: number, only: readonly FaultName[]): Generator<Round, never> {
  const random = chanceOf(seed);
  const faults = only.length > 0 ? only : FAULT_NAMES;
  for (const name of shuffled(faults, random)) yield [name];
  const pairs = faults.flatMap((one, i) => faults.slice(i + 1).map((other): Round => [one, other])).filter(canMeet);
  for (;;) {
    if (pairs.length === 0) for (const name of shuffled(faults, random)) yield [name];
    else yield pairs[Math.floor(random() * pairs.length)] ?? [];
  }
}

function canMeet([one, other]: Round): boolean {
  return one !== undefined && other !== undefined && FAULTS[one].victim !== FAULTS[other].victim;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}
