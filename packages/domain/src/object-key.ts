/**
 * What the bytes of attachments are called where they lie. Nothing of a key comes from a client: the id is ours.
 * `uploads`: put there by a client, who may put something else there as long as his link holds · `attachments`: out of his reach, never
 * changed again · `thumbnails`: made of those.
 */
export type ObjectKey = `${'uploads' | 'attachments' | 'thumbnails'}/${string}`;

/** The keys of one attachment. */
export const objectKeys = {
  upload: (attachmentId: string): ObjectKey => `uploads/${attachmentId}`,
  attachment: (attachmentId: string): ObjectKey => `attachments/${attachmentId}`,
  thumbnail: (attachmentId: string): ObjectKey => `thumbnails/${attachmentId}`,
};

const KEY = /^(?:uploads|attachments|thumbnails)\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text is a key: nothing else reaches a path or a bucket. */
export function isObjectKey(text: string): text is ObjectKey {
  return KEY.test(text);
}
