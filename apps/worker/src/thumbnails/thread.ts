import { parentPort } from 'node:worker_threads';
import sharp from 'sharp';

// A thread of its own: what decodes foreign images may hang, run out of memory or crash, and takes only itself with it.

/** What the thread says of an image. */
export type ImageAnswer = { readonly made: Uint8Array<ArrayBuffer> } | { readonly error: string };

/** The longer side of a thumbnail. */
const SIDE_MAX_PX = 320;
/** A few kilobytes can unpack to any number of pixels. */
const INPUT_MAX_PIXELS = 50_000_000;
const QUALITY = 75;
const DECODE_WITHIN_S = 15;
/** Decoders of the types that are sniffed as images; everything else that libvips could read stays shut. */
const DECODERS = ['Jpeg', 'Png', 'Webp', 'Nsgif'].map((format) => `VipsForeignLoad${format}Buffer`);

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: DECODERS });
sharp.cache(false);
sharp.concurrency(1);

/** The first frame, upright, at most so large, as WebP. Nothing of what the camera wrote into it is kept. */
async function thumbnailOf(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const made = await sharp(image, { limitInputPixels: INPUT_MAX_PIXELS, failOn: 'error' })
    .timeout({ seconds: DECODE_WITHIN_S })
    .autoOrient()
    .resize({ width: SIDE_MAX_PX, height: SIDE_MAX_PX, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: QUALITY })
    .toBuffer();
  // Memory of its own can change hands; a part of a pool cannot.
  return new Uint8Array(made);
}

function answer(value: ImageAnswer): void {
  parentPort?.postMessage(value, 'made' in value ? [value.made.buffer] : []);
}

parentPort?.on('message', (image: Uint8Array) => {
  thumbnailOf(image).then(
    (made) => answer({ made }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
