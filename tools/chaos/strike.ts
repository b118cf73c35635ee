import type { FaultName } from './fault-list.ts';
import { type CutClients, STRIKES } from './faults.ts';
import type { ChaosStack } from './stack.ts';

/** Makes the faults of a round at the same time; resolves when all causes are gone, with those that nobody saw. */
export async function strike(
  stack: ChaosStack,
  { faults, cutClients, say }: { faults: readonly FaultName[]; cutClients: CutClients; say: (line: string) => void },
): Promise<FaultName[]> {
  const seen = await Promise.all(
    faults.map(async (name) => {
      const evidence = await STRIKES[name](stack, cutClients);
      say(`  ${name}: ${evidence ?? 'NOT SEEN TO HAPPEN'}`);
      return evidence !== null;
    }),
  );
  return faults.filter((_, i) => !seen[i]);
}
