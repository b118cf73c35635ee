import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { ImageThread } from '../src/thumbnails/image-thread.ts';

const images = new ImageThread();
afterAll(() => images.stop());

/** Memory of its own, which the thread may take. */
const own = (bytes: Uint8Array) => new Uint8Array(bytes);
const canvas = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#246' } });

describe('a thumbnail', () => {
  it.each(['png', 'jpeg', 'gif', 'webp'] as const)(
    '[FILE-27] of a %s is a WebP of at most 320 pixels a side',
    async (format) => {
      const made = await images.thumbnailOf(own(await canvas(1_600, 900).toFormat(format).toBuffer()));
      expect(await sharp(made).metadata()).toMatchObject({ format: 'webp', width: 320, height: 180 });
      const small = await images.thumbnailOf(own(await canvas(40, 30).toFormat(format).toBuffer()));
      expect(await sharp(small).metadata()).toMatchObject({ width: 40, height: 30 });
    },
  );

  it('[FILE-27] stands upright and tells nothing of where and by what it was taken', async () => {
    const exif = { IFD0: { Artist: 'somebody' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } };
    const photo = await canvas(800, 400).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    // The control: it is there to be taken away.
    expect(await sharp(photo).metadata()).toMatchObject({ orientation: 6, exif: expect.anything() });
    const found = await sharp(await images.thumbnailOf(own(photo))).metadata();
    expect(found).toMatchObject({ width: 160, height: 320 });
    expect([found.exif, found.orientation, found.icc, found.xmp]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('an image that is made to harm', () => {
  it('[FILE-28] fails by itself, and the next one is made', async () => {
    const png = await canvas(600, 600).png().toBuffer();
    const bomb = await canvas(9_000, 9_000).png({ compressionLevel: 9 }).toBuffer();
    expect(bomb.length).toBeLessThan(1_000_000);
    // The control: without our limit it is an image like any other.
    expect((await sharp(bomb).resize(9).toBuffer()).length).toBeGreaterThan(0);
    const harmful: Record<string, [Uint8Array, RegExp]> = {
      half: [png.subarray(0, png.length / 2), /./],
      'not an image': [Buffer.from('<!doctype html>'), /unsupported/],
      'an SVG': [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), /unsupported|blocked/],
      'too many pixels': [bomb, /pixel limit/],
      'a TIFF': [await canvas(9, 9).tiff().toBuffer(), /unsupported|blocked/],
    };
    for (const [what, [bytes, reason]] of Object.entries(harmful)) {
      await expect(images.thumbnailOf(own(bytes)), what).rejects.toThrow(reason);
    }
    expect(await sharp(await images.thumbnailOf(own(png))).metadata()).toMatchObject({ width: 320 });
  });

  it('[FILE-28] that takes too long ends its thread, and nothing else', async () => {
    const hasty = new ImageThread({ makeWithinMs: 1 });
    const slow = own(await canvas(6_000, 6_000).jpeg().toBuffer());
    await expect(hasty.thumbnailOf(slow)).rejects.toThrow('the image thread ended');
    await hasty.stop();
    const png = own(await canvas(10, 10).png().toBuffer());
    const [one, two] = await Promise.all([
      images.thumbnailOf(png),
      images.thumbnailOf(own(await canvas(9, 9).png().toBuffer())),
    ]);
    expect([one.length, two.length].every((length) => length > 0)).toBe(true);
  });
});
