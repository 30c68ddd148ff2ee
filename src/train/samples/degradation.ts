import sharp from 'sharp';
import type { Size } from '../../image/types.ts';
import { expose, flatten, type Loss, mapCells, measureLosses, measureRange } from './exposure.ts';
import { type Strength, type Target, toTargets } from './labels.ts';
import type { Picture } from './photos.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { blurPicture, measureCrop, renderScene, resizePicture, type Scene, toPixels, toSharp } from './scenes.ts';
import { addNoise } from './sensor-noise.ts';

/** A degraded photograph as it would be uploaded. */
export interface DegradedPhoto {
  readonly bytes: Buffer;
  readonly size: Size;
  readonly strength: Strength;
  /** In the order of the labels. */
  readonly targets: readonly Target[];
  /** Targets of each cell of a map over the upload, row by row. */
  readonly cells: readonly (readonly Target[])[];
}

/** Applies a plan to a photograph; the same plan and random numbers give the same bytes. */
export async function degradePhoto(photo: Picture, plan: Plan, raster: Size, random: Random): Promise<DegradedPhoto> {
  const size = toUploadSize(measureCrop(photo, plan), plan, raster);
  const scale = toRasterScale(size, raster);
  // A blurred picture has no detail beyond the raster's; rendering at that size is faster.
  const shown = plan.blur ? { width: scaleSide(size.width, scale), height: scaleSide(size.height, scale) } : size;
  const scene = await renderScene(photo, plan, shown, plan.blur ? 1 : 1 / scale, random);
  const blurred = plan.blur
    ? await blurPicture(scene.picture, plan.blur, random)
    : { picture: scene.picture, spread: 0 };
  const before = await resizePicture(blurred.picture, size);
  const hazy = plan.haze ? flatten(before, plan.haze.share, plan.haze.towards) : before;
  const exposed = plan.stops === 0 ? hazy : expose(hazy, plan.stops);
  const losses = measureLosses(before, exposed);
  const noisy = plan.noise ? addNoise(exposed, plan.noise, random) : { picture: exposed, rms: 0 };
  const upload = await saveUpload(noisy.picture, plan);
  // Raster pixels per pixel of the picture before it was saved at other sizes.
  const shownScale = (upload.size.width / size.width) * toRasterScale(upload.size, raster);
  const strength: Strength = {
    blur: (blurred.spread * shownScale) / scale,
    ...losses.whole,
    rangeBefore: measureRange(before),
    range: measureRange(exposed),
    noise: noisy.rms * toNoiseScale(shownScale, plan),
    quality: toWorstQuality(plan, toRasterScale(upload.size, raster)),
  };
  const { content } = scene;
  const soft = scene.soft && { ...scene.soft, spread: (scene.soft.spread * shownScale) / scale };
  const cells = losses.cells.map((loss, cell) => toTargets(toCellStrength(strength, soft, loss, cell), content));
  return { ...upload, strength, targets: toTargets(strength, content), cells };
}

/** Computes the scale that fits a picture into the raster; 1 where it already fits. */
function toRasterScale({ width, height }: Size, raster: Size): number {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  return Math.min(1, Math.max(raster.width, raster.height) / long, Math.min(raster.width, raster.height) / short);
}

function toUploadSize(crop: Size, { side, isEnlarged }: Plan, raster: Size): Size {
  const wanted = (side * Math.max(raster.width, raster.height)) / Math.max(crop.width, crop.height);
  const factor = isEnlarged ? Math.min(2, wanted) : Math.min(1, wanted);
  return { width: scaleSide(crop.width, factor), height: scaleSide(crop.height, factor) };
}

function scaleSide(side: number, factor: number): number {
  return Math.max(1, Math.round(side * factor));
}

/** Scaling down averages noise out, coarse grain less. */
function toNoiseScale(scale: number, { noise }: Plan): number {
  return Math.min(1, scale * (noise?.grain ?? 1));
}

/** Blocks that are scaled down later show less, as if the JPEG quality had been higher by the share of their area. */
function toWorstQuality({ saves }: Plan, scale: number): number {
  let [worst, left] = [100, scale];
  for (const save of saves.toReversed()) {
    worst = Math.min(worst, save.quality / Math.min(1, left) ** 2);
    left *= save.scale;
  }
  return worst;
}

function toCellStrength(strength: Strength, soft: Scene['soft'], loss: Loss, cell: number): Strength {
  const across = ((cell % mapCells.columns) + 0.5) / mapCells.columns;
  const down = (Math.floor(cell / mapCells.columns) + 0.5) / mapCells.rows;
  const own = soft ? soft.spread * (1 - soft.sharp(across, down)) : 0;
  return { ...strength, ...loss, blur: Math.hypot(strength.blur, own) };
}

async function saveUpload(picture: Picture, { saves, format }: Plan): Promise<Pick<DegradedPhoto, 'bytes' | 'size'>> {
  let [size, bytes]: [Size, Buffer] = [picture, Buffer.alloc(0)];
  for (const [index, { quality, scale }] of saves.entries()) {
    const saved = index === 0 ? picture : await toPixels(sharp(bytes));
    size = { width: scaleSide(size.width, scale), height: scaleSide(size.height, scale) };
    const chromaSubsampling = quality % 3 === 0 ? '4:4:4' : '4:2:0';
    bytes = await toSharp(await resizePicture(saved, size))
      .jpeg({ quality, chromaSubsampling })
      .toBuffer();
  }
  if (format === 'jpeg') return { bytes, size };
  const other =
    format === 'png' ? sharp(bytes).png({ compressionLevel: 1 }) : sharp(bytes).webp({ quality: 92, effort: 0 });
  return { bytes: await other.toBuffer(), size };
}
