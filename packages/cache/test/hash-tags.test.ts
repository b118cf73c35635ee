import { PARTITIONS, partitionOf } from '@parley/domain';
import { expect, it } from 'vitest';
import { hashTag } from '../src/hash-tags.ts';
import { answerKey, createKeys, cursorsKey, epochKey, headerKey, logKey, registerKey, windowKey } from '../src/keys.ts';
import { slotOf } from './slot.ts';

const SLOTS = 16_384;
const tags = Array.from({ length: PARTITIONS }, (_, partition) => hashTag(partition));

it('has the CRC16 of the cluster specification', () => {
  // "123456789" has 0x31C3 there; the other two were asked of a server.
  expect([slotOf('123456789'), slotOf('foo'), slotOf('{foo}bar')]).toEqual([0x31c3, 12_182, 12_182]);
});

it('each tag is the smallest number whose slot lies in the band of its partition', () => {
  const found: string[] = [];
  for (let number = 0; Object.keys(found).length < PARTITIONS; number++) {
    const band = Math.floor(slotOf(String(number)) / (SLOTS / PARTITIONS));
    found[band] ??= String(number);
  }
  expect(tags).toEqual(found);
});

/** `masters` masters share the slots evenly: how far the partitions of one are from its even share. */
function furthest(masters: number, names: readonly string[]): number {
  const counts = Array.from({ length: masters }, () => 0);
  for (const name of names) {
    const master = Math.floor((slotOf(name) * masters) / SLOTS);
    counts[master] = (counts[master] ?? 0) + 1;
  }
  return Math.max(...counts.map((count) => Math.abs(count - names.length / masters)));
}

it('[PERSIST-61] the partitions spread evenly over the masters of a cluster, however many there are', () => {
  for (let masters = 1; masters <= 64; masters++) {
    expect(furthest(masters, tags), `${masters} masters`).toBeLessThan(2);
  }
});

it('control: numbering the tags from 0 would not spread them', () => {
  const numbers = Array.from({ length: PARTITIONS }, (_, partition) => String(partition));
  expect(furthest(16, numbers)).toBeGreaterThanOrEqual(3);
});

it('every key of a channel lies in one slot', () => {
  const keys = createKeys('parley');
  for (const channelId of ['0d6a6f1e-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-8fff-ffffffffffff']) {
    const stem = keys.stemOf(channelId);
    const operation = { channelId, actorId: 'a', operationId: 'o' };
    const all = [
      epochKey(stem),
      logKey(stem),
      cursorsKey(stem),
      registerKey(stem),
      headerKey(stem, channelId),
      windowKey(stem, channelId),
      answerKey(stem, operation),
    ];
    expect(new Set(all.map(slotOf)).size).toBe(1);
    expect(stem).toBe(keys.stems[partitionOf(channelId)]);
  }
});

it('there is no 65th partition', () => {
  expect(() => hashTag(PARTITIONS)).toThrow(RangeError);
});
