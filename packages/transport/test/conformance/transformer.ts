import { isRecord } from './is-record.ts';

type Replace = (value: unknown) => unknown;

function walk(value: unknown, replace: Replace): unknown {
  const replaced = replace(value);
  if (replaced !== value) return replaced;
  if (Array.isArray(value)) return value.map((item) => walk(item, replace));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, replace)]));
}

function pack(value: unknown): unknown {
  if (value === undefined) return { $: 'undefined' };
  if (typeof value === 'bigint') return { $: 'bigint', value: String(value) };
  if (value instanceof Date) return { $: 'date', value: value.toISOString() };
  if (typeof value === 'symbol') throw new TypeError('a symbol has no text');
  return value;
}

function unpack(value: unknown): unknown {
  if (!isRecord(value) || typeof value.$ !== 'string') return value;
  if (value.$ === 'undefined') return undefined;
  if (value.$ === 'bigint') return BigInt(String(value.value));
  if (value.$ === 'date') return new Date(String(value.value));
  throw new TypeError(`unknown word ${value.$}`);
}

/** Carries `undefined`, bigints and dates through JSON. Throws on symbols when packing, on unknown words when unpacking. */
export const transformer = {
  serialize: (value: unknown): unknown => walk(value, pack),
  deserialize: (value: unknown): unknown =>
    isRecord(value) && value.$ === 'undefined' ? undefined : walk(value, unpack),
};
