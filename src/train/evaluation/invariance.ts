import sharp, { type Sharp } from 'sharp';
import type { Manifest } from '../../model/manifest.ts';
import { degradePhoto } from '../samples/degradation.ts';
import { inputShape } from '../samples/network-input.ts';
import type { Photo } from '../samples/photos.ts';
import { untouched } from '../samples/plan.ts';
import { createRandom } from '../samples/random.ts';
import { toVerdict } from './policy-verdict.ts';

/** The same picture in another form, which should get the same verdict. */
export interface Variant {
  readonly name: string;
  readonly bytes: Buffer;
}

/** EXIF orientations with the rotation of the pixels that each of them undoes. */
const orientations: readonly { readonly orientation: number; readonly turn: (image: Sharp) => Sharp }[] = [
  { orientation: 3, turn: (image) => image.rotate(180) },
  { orientation: 6, turn: (image) => image.rotate(270) },
  { orientation: 8, turn: (image) => image.rotate(90) },
];

/**
 * Builds all equivalent forms of an upright picture: flipped, turned by EXIF, in other formats, and a sharp one at twice
 * its size.
 * @param isSharp whether it has no blur: a slightly blurred picture has another blur, relative to its size, when enlarged
 */
export async function toVariants(bytes: Buffer, isSharp: boolean): Promise<Variant[]> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const open = (): Sharp => sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } });
  const making: [string, Sharp][] = [
    ['flipped', open().flop().png()],
    ['upside down', open().flip().png()],
    ...orientations.map(({ orientation, turn }): [string, Sharp] => [
      `turned by EXIF ${String(orientation)}`,
      turn(open()).jpeg({ quality: 97, chromaSubsampling: '4:4:4' }).withExif({}).withMetadata({ orientation }),
    ]),
    ['as PNG', open().png()],
    ['as JPEG of quality 97', open().jpeg({ quality: 97, chromaSubsampling: '4:4:4' })],
    ['as WebP of quality 97', open().webp({ quality: 97 })],
    ...(isSharp
      ? [
          [
            'twice as large',
            open()
              .resize(info.width * 2, info.height * 2, { fit: 'fill' })
              .png(),
          ] as [string, Sharp],
        ]
      : []),
  ];
  return Promise.all(making.map(async ([name, image]) => ({ name, bytes: await image.toBuffer() })));
}

/** Changes of the verdict in one form of the photographs. */
export interface VariantFigures {
  readonly name: string;
  readonly pictures: number;
  readonly changed: readonly string[];
}

/** Compares the verdicts of untouched photographs in all forms. */
export async function measureInvariance(
  photos: readonly Photo[],
  infer: (bytes: Uint8Array) => Promise<readonly number[]>,
  manifest: Manifest,
  onPhoto: (done: number, total: number) => void,
): Promise<VariantFigures[]> {
  const changes = new Map<string, string[]>();
  for (const [index, photo] of photos.entries()) {
    const { bytes } = await degradePhoto(photo, untouched, inputShape, createRandom(index));
    const verdict = toVerdict(await infer(bytes), manifest);
    for (const { name, bytes: other } of await toVariants(bytes, true)) {
      const changed = changes.get(name) ?? [];
      changes.set(name, changed);
      if (toVerdict(await infer(other), manifest) !== verdict) changed.push(photo.file);
    }
    onPhoto(index + 1, photos.length);
  }
  return [...changes].map(([name, changed]) => ({ name, pictures: photos.length, changed }));
}
