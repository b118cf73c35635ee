/** The slot of a key in a Redis cluster, by its specification: CRC16 (XMODEM) of the hash tag, or of the key if it has none. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const closed = open < 0 ? -1 : key.indexOf('}', open + 1);
  let crc = 0;
  for (const byte of Buffer.from(closed > open + 1 ? key.slice(open + 1, closed) : key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % 16_384;
}
