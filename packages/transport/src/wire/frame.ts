const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Bytes that the head of an unmasked frame takes. */
function headBytes(payloadBytes: number): number {
  if (payloadBytes < LENGTH_16) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

/** An unmasked frame whose payload has still to be written, from `offset` on. */
export interface OpenFrame {
  readonly frame: Buffer;
  readonly offset: number;
}

/** Room for a whole message of so many bytes, as one frame. */
export function openFrame(payloadBytes: number, isBinary = false): OpenFrame {
  const offset = headBytes(payloadBytes);
  const frame = Buffer.allocUnsafe(offset + payloadBytes);
  frame[0] = isBinary ? FIN_BINARY : FIN_TEXT;
  if (offset === 2) {
    frame[1] = payloadBytes;
  } else if (offset === 4) {
    frame[1] = LENGTH_16;
    frame[2] = payloadBytes >>> 8;
    frame[3] = payloadBytes & 0xff;
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(payloadBytes), 2);
  }
  return { frame, offset };
}

/** A message as one frame: a text, or bytes that are no text. */
export function frameOf(message: string | Uint8Array): Buffer {
  if (typeof message !== 'string') {
    const { frame, offset } = openFrame(message.byteLength, true);
    frame.set(message, offset);
    return frame;
  }
  const { frame, offset } = openFrame(Buffer.byteLength(message));
  frame.write(message, offset);
  return frame;
}
