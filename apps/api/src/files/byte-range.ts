import type { ByteRange } from '@parley/domain';

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * What a Range header asks of an object of this size. Null: the whole of it, as for a header that asks for several parts or says
 * nothing we know. `unsatisfiable`: nothing of it is there.
 */
export function parseRange(header: string | undefined, byteSize: number): ByteRange | 'unsatisfiable' | null {
  const [, from, to] = RANGE.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return null;
  // Without a first byte the number is that of the last bytes.
  const first = from === '' ? Math.max(0, byteSize - Number(to)) : Number(from);
  const last = from === '' || to === '' ? byteSize - 1 : Math.min(Number(to), byteSize - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return null;
  return first <= last ? { first, last } : 'unsatisfiable';
}
