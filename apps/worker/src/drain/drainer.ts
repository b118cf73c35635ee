import { laneOf, PARTITIONS } from '@parley/domain';
import type { Service } from '@parley/runtime';
import { type DrainOutcome, Lane } from './lane.ts';
import type { DrainParts } from './lane-writer.ts';

/** Brings what is in the log to Postgres, lane by lane. */
export interface Drainer extends Service {
  readonly lanes: number;
  /** Drains a lane until it is empty or for about `forMs`; joins the drain under way. Never rejects. */
  drain(lane: number, forMs: number): Promise<DrainOutcome>;
  /** Whether this process drains the lane at this moment. */
  isBusy(lane: number): boolean;
}

/** A drainer of all lanes. Nothing runs until somebody asks for a drain. */
export function createDrainer({ lanes, ...parts }: DrainParts & { readonly lanes: number }): Drainer {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  const own = Array.from(
    { length: lanes },
    (_, lane) =>
      new Lane(
        partitions.filter((partition) => laneOf(partition, lanes) === lane),
        parts,
      ),
  );
  return {
    name: 'drainer',
    lanes,
    run() {},
    // A lane that this deployment does not have: somebody rang with another number of lanes.
    drain: async (lane, forMs) => own[lane]?.drain(forMs) ?? 'empty',
    isBusy: (lane) => own[lane]?.busy ?? false,
    async stop() {
      await Promise.all(own.map((one) => one.stop()));
    },
  };
}
