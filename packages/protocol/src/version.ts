/**
 * The version of the wire contract. A client names the one it speaks; the server keeps the last one working, too.
 *
 * 1: the first.
 */
export const PROTOCOL_VERSION = 1;
