import type { Encoder } from '@trpc/server/adapters/ws';

const textOf = (frame: string | ArrayBuffer | Uint8Array) =>
  typeof frame === 'string' ? frame : new TextDecoder().decode(frame);

/** JSON in bytes. */
export const bytes: Encoder = {
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (frame) => {
    if (typeof frame === 'string') throw new Error('bytes only');
    return JSON.parse(textOf(frame));
  },
};

/** JSON in text that marks what went through it, and fails where it is told to. */
export const marking: Encoder = {
  encode(value) {
    const text = JSON.stringify(value);
    if (text.includes('unencodable')) throw new Error('told not to encode');
    return `{"marked":${text}}`;
  },
  decode(frame) {
    const text = textOf(frame);
    if (text.includes('undecodable')) throw new TypeError('told not to decode');
    return JSON.parse(text.replace('hullo', 'hello'));
  },
};
