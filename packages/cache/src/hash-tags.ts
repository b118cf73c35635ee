import { PARTITIONS } from '@parley/domain';

/**
 * The hash tag of each partition, by its number. A cluster gives a key the slot CRC16(tag) mod 16,384; tag p is the smallest number
 * whose slot lies in band p of 64 bands of 256 slots. So a cluster of N masters that share the slots evenly shares the partitions
 * evenly, too: the tags `0` to `63` themselves would give 1 to 8 partitions to each of 16 masters.
 * Never change one: it would move the keys of its partition.
 */
const HASH_TAGS = (
  '10 18 113 342 29 21 3 122 69 61 72 162 50 58 153 43 11 19 112 343 28 20 2 123 68 60 73 163 51 59 152 42 ' +
  '12 102 111 119 133 23 1 9 173 63 70 78 52 142 49 41 13 103 110 118 132 22 0 8 172 62 71 79 53 143 48 40'
).split(' ');

/** The hash tag of a partition. Throws a RangeError for a number that is none. */
export function hashTag(partition: number): string {
  const tag = HASH_TAGS[partition];
  if (tag === undefined) throw new RangeError(`not one of ${PARTITIONS} partitions: ${partition}`);
  return tag;
}
