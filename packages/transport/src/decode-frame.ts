import { jsonEncoder } from '@trpc/server/adapters/ws';

/** A frame with so many times the calls it may carry is no client's mistake, and gets one answer instead of one for each call. */
const NO_MISTAKE = 8;

/** What a frame says. Throws when it says nothing that can be understood. */
export function decodeFrame(data: Parameters<typeof jsonEncoder.decode>[0], callsPerFrame: number): unknown {
  const value: unknown = jsonEncoder.decode(data);
  if (Array.isArray(value) && value.length > callsPerFrame * NO_MISTAKE) {
    throw new Error('Batch call exceeds maximum size');
  }
  return isParams(value) ? { ...value, data: inWords(value.data) } : value;
}

function isParams(value: unknown): value is { readonly method: string; readonly data: object } {
  if (typeof value !== 'object' || value === null || !('method' in value) || !('data' in value)) return false;
  return value.method === 'connectionParams' && typeof value.data === 'object' && value.data !== null;
}

/** tRPC takes nothing but strings as connection parameters; a version is a number to whoever writes a client by hand. */
function inWords(params: object): object {
  const words = Object.entries(params).map(([name, value]) => [
    name,
    typeof value === 'number' ? String(value) : value,
  ]);
  return Object.fromEntries(words);
}
