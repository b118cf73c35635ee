import type { ObjectKey } from '../object-key.ts';

/** Bytes from the first to the last one, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Where the bytes of attachments lie. An object is there whole or not at all. Every call may be made again; a call that throws
 * `UNAVAILABLE` has an unknown outcome.
 */
export interface ObjectStore {
  /** Null: there is no such object. */
  head(key: ObjectKey): Promise<{ readonly byteSize: number } | null>;
  /** The first bytes, fewer where the object is shorter. */
  readStart(key: ObjectKey, maxBytes: number): Promise<Uint8Array | null>;
  /** The object or a part of it, piece by piece. Whoever stops early lets go of it by `return`. */
  read(key: ObjectKey, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | null>;
  /** Replaces what was there. */
  put(key: ObjectKey, bytes: Uint8Array, contentType: string): Promise<void>;
  /** False: there was nothing to move, or something is at `to` already, and stays. */
  move(from: ObjectKey, to: ObjectKey): Promise<boolean>;
  /** What is not there counts as deleted. */
  delete(keys: readonly ObjectKey[]): Promise<void>;
  /** Removes what uploads left behind whose process died; says how many. */
  removeUnfinished(olderThanMs: number): Promise<number>;
}

/** What a client is to do: PUT the bytes to the address, with these headers. */
export interface Upload {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a browser is to take a file. A type of null: unknown bytes, to be saved and never shown. */
export interface Presentation {
  readonly fileName: string;
  readonly inlineType: string | null;
}

/**
 * Addresses that work for whoever has them, until they expire (epoch milliseconds). Those of the public port are paths: a client reads them
 * against the server's own address.
 */
export interface FileLinks {
  /** Takes exactly so many bytes, where the store can hold a client to it. */
  upload(attachmentId: string, upload: { byteSize: number; contentType: string; expiresAt: number }): Promise<Upload>;
  download(attachmentId: string, presentation: Presentation & { expiresAt: number }): Promise<string>;
  /** Always of the public port: the thumbnail may not be made yet, and only the port can say so. */
  thumbnail(attachmentId: string, expiresAt: number): string;
}
