import { type Attachments, type ObjectStore, objectKeys } from '@parley/domain';

interface MakeThumbnailDeps {
  readonly attachments: Pick<Attachments, 'find'>;
  readonly objects: Pick<ObjectStore, 'head' | 'read' | 'put' | 'delete'>;
  readonly images: { thumbnailOf(image: Uint8Array<ArrayBuffer>): Promise<Uint8Array> };
}

/** No image that a camera makes is larger; one that is stays without a thumbnail. */
const IMAGE_MAX_BYTES = 100_000_000;

/** The job of `make-thumbnail`. Twice is as good as once; an attachment that is gone needs none. */
export function createMakeThumbnail({ attachments, objects, images }: MakeThumbnailDeps) {
  const isGone = async (id: string) => ((await attachments.find(id))?.state ?? 'deleted') === 'deleted';
  return async ({ attachmentId }: { attachmentId: string }): Promise<void> => {
    if (await isGone(attachmentId)) return;
    const image = await readImage(objects, attachmentId);
    if (!image) return;
    const key = objectKeys.thumbnail(attachmentId);
    await objects.put(key, await images.thumbnailOf(image), 'image/webp');
    // The clean-up may have come by meanwhile, and does not come again.
    if (await isGone(attachmentId)) await objects.delete([key]);
  };
}

async function readImage(
  objects: MakeThumbnailDeps['objects'],
  attachmentId: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const key = objectKeys.attachment(attachmentId);
  const head = await objects.head(key);
  if (!head) return null;
  if (head.byteSize > IMAGE_MAX_BYTES) throw new Error(`an image of ${head.byteSize} bytes`);
  const body = await objects.read(key);
  if (!body) return null;
  const image = new Uint8Array(head.byteSize);
  let filled = 0;
  for await (const piece of body) {
    image.set(piece, filled);
    filled += piece.length;
  }
  return image;
}
