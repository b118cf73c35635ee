const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const SIXTEEN_BITS = 65_536;

/** How long an unmasked frame with so many bytes of payload is. */
export function frameBytes(payloadBytes: number): number {
  return headBytes(payloadBytes) + payloadBytes;
}

function headBytes(payloadBytes: number): number {
  if (payloadBytes < LENGTH_16) return 2;
  return payloadBytes < SIXTEEN_BITS ? 4 : 10;
}

/** Writes what comes before the payload of a text message of one frame, and gives where the payload begins. */
export function writeFrameHead(into: Buffer, offset: number, payloadBytes: number): number {
  into[offset] = FIN_TEXT;
  if (payloadBytes < LENGTH_16) {
    into[offset + 1] = payloadBytes;
    return offset + 2;
  }
  if (payloadBytes < SIXTEEN_BITS) {
    into[offset + 1] = LENGTH_16;
    into[offset + 2] = payloadBytes >>> 8;
    into[offset + 3] = payloadBytes & 0xff;
    return offset + 4;
  }
  into[offset + 1] = LENGTH_64;
  into.writeBigUInt64BE(BigInt(payloadBytes), offset + 2);
  return offset + 10;
}

/** A message as one frame: a text, or bytes that are no text. */
export function frameOf(message: string | Uint8Array): Buffer {
  const payloadBytes = typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength;
  const frame = Buffer.allocUnsafe(frameBytes(payloadBytes));
  const offset = writeFrameHead(frame, 0, payloadBytes);
  if (typeof message === 'string') {
    frame.write(message, offset);
  } else {
    frame[0] = FIN_BINARY;
    frame.set(message, offset);
  }
  return frame;
}
