import { isRecord } from './is-record.ts';

/** What the engine says of the source text that met a wrong value: no two programs have the same. */
const OF_THE_SOURCE = /[\w.()]{1,60} is not a function|Cannot read properties of (null|undefined) \(reading '[^']*'\)/;

const ERROR_MAX_CHARS = 500;

/** A value as JSON can say it, with the keys in one order and without what only the source text or the machine make so. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(value);
  if (typeof value === 'string')
    return value.length > ERROR_MAX_CHARS ? value : value.replace(OF_THE_SOURCE, '<wrong value>');
  if (value === undefined) return '<undefined>';
  if (Number.isNaN(value)) return '<NaN>';
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Error) return `<${value.name}: ${value.message}>`;
  if (value instanceof Date) return `<${value.toISOString()}>`;
  if (!isRecord(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, key === 'stack' ? firstLine(value[key]) : plain(value[key])]));
}

const firstLine = (stack: unknown) => (typeof stack === 'string' ? plain(`${stack.split('\n')[0]} …`) : plain(stack));

/** The request that a message answers, and the message in words that are the same for any two that no client can tell apart. */
export function understand(text: string, isBinary: boolean): { request: string; text: string } {
  const kind = isBinary ? 'bytes ' : '';
  try {
    const message: unknown = JSON.parse(text);
    const request = isRecord(message) && 'id' in message ? JSON.stringify(message.id) : 'none';
    return { request, text: kind + JSON.stringify(plain(message)) };
  } catch {
    return { request: 'none', text: kind + text };
  }
}
