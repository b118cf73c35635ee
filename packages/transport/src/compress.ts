import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Below this a body is not worth the work. */
const LEAST_BYTES = 1_024;
/** What is asked for by this header, with any value, is sent as it is. */
const OPT_OUT = 'x-no-compression';

type Encoding = 'br' | 'gzip';

const compress: Record<Encoding, (body: Uint8Array) => Promise<Buffer>> = {
  // Its default quality is made for files that are compressed once: a hundred times the work.
  br: (body) => inBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (body) => inGzip(body),
};
const inBrotli = promisify(brotliCompress);
const inGzip = promisify<Uint8Array, Buffer>(gzip);

/** A body as it goes over the wire. */
export interface Packed {
  readonly body: Uint8Array;
  readonly encoding: Encoding | null;
}

/** The body in the best encoding that the client takes, outside of the event loop. Small ones stay as they are. */
export async function pack(body: Uint8Array, { headers }: Pick<IncomingMessage, 'headers'>): Promise<Packed> {
  const encoding = headers[OPT_OUT] === undefined ? bestOf(String(headers['accept-encoding'] ?? '')) : null;
  if (encoding === null || body.byteLength <= LEAST_BYTES) return { body, encoding: null };
  return { body: await compress[encoding](body), encoding };
}

function bestOf(accepted: string): Encoding | null {
  const taken = new Set<string>();
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...params] = part.split(';').map((word) => word.trim());
    if (!params.some((param) => /^q=0(\.0*)?$/.test(param))) taken.add(name);
  }
  if (taken.has('br')) return 'br';
  return taken.has('gzip') ? 'gzip' : null;
}
