/** The log is split in this many partitions, for ever: a channel's keys all carry the hash tag of its partition. */
export const PARTITIONS = 64;

/** The partition of a channel: FNV-1a over its id. The same on every node, in every version. */
export function partitionOf(channelId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < channelId.length; i++) hash = Math.imul(hash ^ channelId.charCodeAt(i), 0x01000193);
  // The low bits of FNV are its weakest: fold the high half in.
  return ((hash ^ (hash >>> 16)) >>> 0) % PARTITIONS;
}

/** The lane that drains a partition. */
export function laneOf(partition: number, lanes: number): number {
  return partition % lanes;
}
