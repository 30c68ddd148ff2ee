import sharp, { type Sharp } from 'sharp';
import type { Size } from '../../image/types.ts';
import { drawDiagram, drawPage, drawScreen } from './drawings.ts';
import { expose } from './exposure.ts';
import { convolve, drawMotion, type Kernel, measureSpread, toDisc, toGaussian } from './kernels.ts';
import type { Content } from './labels.ts';
import { toLight, toLuma, toPicture } from './light.ts';
import { blend, drawBlob, fill, type Mask, measureDetail } from './masks.ts';
import type { Picture } from './photos.ts';
import type { Blur, Plan } from './plan.ts';
import type { Random } from './random.ts';
import { drawBetween } from './random.ts';
import { drawBlank, drawWall } from './surfaces.ts';
import { rasteriseSvg } from './svg-raster.ts';

/** A rendered scene before degradation. */
export interface Scene {
  readonly picture: Picture;
  readonly content: Content;
  /** Intended defocus: where the picture is sharp, and the blur's spread elsewhere in pixels. */
  readonly soft?: { readonly sharp: Mask; readonly spread: number };
}

/** Larger kernels are applied to a scaled-down picture, which loses no visible detail. */
const maxKernelSpread = 1.6;

/** Renders the scene of a plan. @param scale pixels of the picture per pixel of the raster */
export async function renderScene(
  photo: Picture,
  plan: Plan,
  size: Size,
  scale: number,
  random: Random,
): Promise<Scene> {
  switch (plan.scene) {
    case 'page':
      return { picture: rasteriseSvg(drawPage(random, size)), content: { kind: 'drawn' } };
    case 'screen':
      return { picture: rasteriseSvg(drawScreen(random, size)), content: { kind: 'drawn' } };
    case 'diagram':
      return { picture: rasteriseSvg(drawDiagram(random, size)), content: { kind: 'drawn' } };
    case 'wall':
      return { picture: drawWall(random, size), content: { kind: 'plain' } };
    case 'blank': {
      const picture = drawBlank(random, size);
      const middle = (Math.floor(size.height / 2) * size.width + Math.floor(size.width / 2)) * 3;
      return { picture, content: { kind: 'blank', luma: toLuma(picture.pixels, middle) } };
    }
    case 'photo':
      return toScene(await cropPhoto(photo, plan, size));
    case 'soft background':
    case 'product':
    case 'night':
      return stagePhoto(await cropPhoto(photo, plan, size), plan, scale, random);
  }
}

/** Computes the size of a plan's crop of a photograph, after its turn. */
export function measureCrop(photo: Picture, { crop, turn }: Plan): Size {
  const width = Math.max(1, Math.round(photo.width * crop.wide));
  const height = Math.max(1, Math.round(photo.height * crop.high));
  return turn % 180 === 0 ? { width, height } : { width: height, height: width };
}

/** Blurs a whole picture in linear light. @returns the blurred picture and the measured spread in pixels */
export async function blurPicture(
  picture: Picture,
  blur: Blur,
  random: Random,
): Promise<{ picture: Picture; spread: number }> {
  const reduction = Math.max(1, blur.spread / maxKernelSpread);
  const size = {
    width: Math.max(1, Math.round(picture.width / reduction)),
    height: Math.max(1, Math.round(picture.height / reduction)),
  };
  const reduced = reduction === 1 ? picture : await resizePicture(picture, size);
  const kernel = drawKernel(blur.kind, blur.spread / reduction, random);
  const blurred = toPicture(convolve(toLight(reduced), kernel));
  return { picture: await resizePicture(blurred, picture), spread: measureSpread(kernel) * reduction };
}

/** Resizes a picture. */
export async function resizePicture(picture: Picture, { width, height }: Size): Promise<Picture> {
  if (picture.width === width && picture.height === height) return picture;
  return toPixels(toSharp(picture).resize({ width, height, fit: 'fill' }));
}

/** Opens a picture in sharp. */
export function toSharp({ pixels, width, height }: Picture): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Reads a picture from sharp, over white. */
export async function toPixels(image: Sharp): Promise<Picture> {
  const flat = image.flatten({ background: 'white' }).toColourspace('srgb').raw();
  const { data, info } = await flat.toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height };
}

function toScene(picture: Picture): Scene {
  return { picture, content: { kind: 'picture' } };
}

async function cropPhoto(photo: Picture, plan: Plan, { width, height }: Size): Promise<Picture> {
  const { crop, turn, isFlipped } = plan;
  const part = measureCrop(photo, { ...plan, turn: 0 });
  const left = Math.floor((photo.width - part.width) * crop.left);
  const top = Math.floor((photo.height - part.height) * crop.top);
  const upright = turn % 180 === 0 ? { width, height } : { width: height, height: width };
  const cut = toSharp(cutOut(photo, left, top, part)).resize({ ...upright, fit: 'fill' });
  return toPixels(cut.flop(isFlipped).rotate(turn));
}

/** Copies a crop, because sharp doesn't read shared memory. */
function cutOut(photo: Picture, left: number, top: number, { width, height }: Size): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row += 1) {
    const from = ((top + row) * photo.width + left) * 3;
    pixels.set(photo.pixels.subarray(from, from + width * 3), row * width * 3);
  }
  return { pixels, width, height };
}

async function stagePhoto(picture: Picture, plan: Plan, scale: number, random: Random): Promise<Scene> {
  if (plan.scene === 'night') {
    const dark = expose(picture, drawBetween(random, -5, -2.5));
    return toScene(blend(picture, dark, drawBlob(random, drawBetween(random, 0.1, 0.35), 0.7)));
  }
  if (plan.scene === 'product') {
    const shade = drawBetween(random, 238, 255);
    const sheet = fill(picture, [shade, shade, shade]);
    return toScene(blend(picture, sheet, findSubject(picture, random, drawBetween(random, 0.12, 0.5), 0.03)));
  }
  const subject = findSubject(picture, random, drawBetween(random, 0.08, 0.35), 0.3);
  const { spread, picture: soft } = await blurPicture(
    picture,
    { kind: 'disc', spread: plan.backgroundSpread * scale },
    random,
  );
  return {
    picture: blend(picture, soft, subject),
    content: { kind: 'picture' },
    soft: { sharp: subject, spread: spread / scale },
  };
}

/** Finds the most detailed of a few places: a subject is rarely the sky. */
function findSubject(picture: Picture, random: Random, area: number, softness: number): Mask {
  const places = Array.from({ length: 4 }, () => drawBlob(random, area, softness));
  const ranked = places.map((mask) => ({ mask, detail: measureDetail(picture, mask) }));
  return ranked.reduce((best, next) => (next.detail > best.detail ? next : best)).mask;
}

/** Draws a kernel of a spread; a disc of radius r has r / 2, a straight motion of length l has l / √12. */
function drawKernel(kind: Blur['kind'], spread: number, random: Random): Kernel {
  if (kind === 'motion') return drawMotion(random, spread * Math.sqrt(12));
  return kind === 'disc' ? toDisc(spread * 2) : toGaussian(spread);
}
