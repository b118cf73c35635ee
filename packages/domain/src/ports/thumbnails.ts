/** Makes thumbnails, later and elsewhere. */
export interface Thumbnails {
  /** Resolves when the wish is kept: it outlives this process. The same wish twice is one. */
  ask(attachmentId: string): Promise<void>;
}
