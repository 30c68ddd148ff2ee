import type { ColourSpace } from '../colour/colour-space.ts';
import type { Size } from '../types.ts';
import type { AvifFacts, AvifPicture } from './avif.ts';
import type { HeicFacts } from './heic.ts';
import type { JpegFacts } from './jpeg.ts';
import { isIrreducibleJpeg } from './jpeg-coding.ts';
import type { HeaderFacts } from './read-header.ts';

/*
 * The numbers below were measured with libvips 8.18 as sharp 0.35.5 brings it, one decode a process: how far the resident
 * memory rises, for 400 × 40,000 to 1,000,000 × 49 pixels and each kind of every format. They bound all that was measured.
 */

/** Memory of any decode, regardless of size. */
const fixedBytes = 10 * 2 ** 20;
/** Most rows that libvips keeps for shrinking. */
const maxRows = 1600;
/** Of low pictures it keeps at least `minRows`, and `rowsPerRow` for each of their own. */
const minRows = 110;
const rowsPerRow = 2.8;
/** Memory of libaom for each pixel's block. */
const blockBytesPerPixel = 10;
/** libaom and libheif each have a copy of the planes. */
const planeCopies = 2;
/** What libaom adds to each side of a frame, and of the grid of its blocks. */
const frameMargin = 320;
const blockMargin = 64;
const coefficientBytes = 2;
const webpPixelBytes = 4;
/** Of a picture that is decoded before it is made small. */
const rgbBytes = 3;
const heicCodeBytes = 32 * 2 ** 20;
const heicThreadBytes = 24 * 2 ** 20;
const heicPixelBytes = 9;
const heicAlphaBytes = 5;
/** Ratio of the sides above which only a part may be scaled: then libwebp does not reduce the picture while decoding. */
const narrowRatio = 8;

/**
 * Estimates the memory that libvips needs at most to decode and reduce a picture.
 * @param orientation as EXIF counts: a turned picture's columns become the rows that are kept
 */
export function toDecodeBytes(header: HeaderFacts, size: Size, orientation = 1): number {
  if (header.format === 'heic') return fixedBytes + toHeicBytes(header);
  const whole = toWholeBytes(header, size) + (orientation >= 3 ? toTurnedBytes(header, size) : 0);
  // Its decoder ends before rows are read, and takes more than they do.
  if (header.format === 'avif') return fixedBytes + whole;
  const pixelBytes = toPixelBytes(header);
  const rows = toRowsBytes(size.width, size.height, pixelBytes);
  const turned = orientation >= 5 ? toRowsBytes(size.height, size.width, pixelBytes) : 0;
  return fixedBytes + Math.max(rows, turned) + whole;
}

/**
 * Estimates the memory that is needed at most to decode a picture at full size, as coded.
 * @param colours how its samples become sRGB where the library is not to convert them
 */
export function toFullDecodeBytes(header: HeaderFacts, size: Size, colours?: ColourSpace): number {
  const pixels = size.width * size.height;
  // Without reduction libwebp needs a second copy.
  const unreduced = header.format === 'webp' && !isNarrow(size.width, size.height) ? pixels * webpPixelBytes : 0;
  const converted = colours ? pixels * toSampleBytes(header, colours) : 0;
  return toDecodeBytes(header, size) + unreduced + converted + pixels * rgbBytes;
}

/** Bytes per pixel of samples that the library leaves unconverted. */
function toSampleBytes({ channels }: HeaderFacts, { highest }: ColourSpace): number {
  return (channels % 2 === 0 ? 4 : 3) * (highest > 255 ? 2 : 1);
}

/** Memory of pictures that are rotated or flipped at full size: not reduced during decoding, or without alpha first. */
function toTurnedBytes(header: HeaderFacts, { width, height }: Size): number {
  const isWhole =
    (header.format === 'jpeg' && isIrreducibleJpeg(header)) ||
    (header.format === 'tiff' && header.samples.kind === 'extra');
  return isWhole ? width * height * toPixelBytes(header) : 0;
}

function toPixelBytes({ channels, bitDepth }: HeaderFacts): number {
  return channels * Math.ceil(bitDepth / 8);
}

function toRowsBytes(width: number, height: number, pixelBytes: number): number {
  return width * pixelBytes * Math.min(maxRows, minRows + rowsPerRow * height);
}

/** What the decoder keeps of the whole picture before it gives the first row. */
function toWholeBytes(header: Exclude<HeaderFacts, HeicFacts>, { width, height }: Size): number {
  const pixels = width * height;
  const pixelBytes = toPixelBytes(header);
  switch (header.format) {
    case 'jpeg':
      return header.isBuffered ? toCoefficientBytes(header) : 0;
    case 'png':
      return header.isInterlaced ? pixels * pixelBytes : 0;
    case 'gif':
      return pixels * pixelBytes;
    case 'webp':
      // The frame of an animation is put on a canvas of its own.
      return pixels * webpPixelBytes * (1 + (header.isAnimated ? 1 : 0) + (isNarrow(width, height) ? 1 : 0));
    case 'tiff':
      return (
        Math.max(width, header.block.width) * header.block.height * header.blockPixelBytes +
        (header.samples.kind === 'extra' ? pixels * rgbBytes : 0)
      );
    case 'avif':
      return Math.max(...header.pictures.map((picture) => toPictureBytes(header, picture)));
  }
}

/** What the decoder of HEIC may take: its code, the coded planes, their copy, RGB, and alpha beside it. */
export function toHeicMemory({ width, height, codedPixels, bitDepth, hasAlpha }: HeicFacts): number {
  const pixels = Math.max(width * height, codedPixels);
  return heicCodeBytes + pixels * (heicPixelBytes + (hasAlpha ? heicAlphaBytes : 0)) * (bitDepth > 8 ? 2 : 1);
}

/** Its thread, its memory, and the pixels that it makes, which are read by rows. */
function toHeicBytes(header: HeicFacts): number {
  const { width, height, channels } = header;
  const rows = toRowsBytes(width, height, channels);
  return heicThreadBytes + toHeicMemory(header) + width * height * channels + rows;
}

function isNarrow(width: number, height: number): boolean {
  return Math.max(width, height) > narrowRatio * Math.min(width, height);
}

function toCoefficientBytes({ width, height, components }: JpegFacts): number {
  const across = Math.max(1, ...components.map((component) => component.across));
  const down = Math.max(1, ...components.map((component) => component.down));
  const samples = components.reduce((sum, component) => sum + component.across * component.down, 0);
  return ((width * height) / (across * down)) * samples * coefficientBytes;
}

/** Pictures of a file, as alpha beside colour, are decoded one after the other, into pixels that all of them share. */
function toPictureBytes({ width, height, bitDepth, channels }: AvifFacts, picture: AvifPicture): number {
  const sampleBytes = Math.ceil(picture.bitDepth / 8);
  const samples = picture.isMonochrome ? 1 : picture.isSubsampled ? 1.5 : 3;
  const coded = Math.max(picture.codedPixels, picture.width * picture.height);
  const perimeter = 2 * (picture.width + picture.height);
  const margins = frameMargin * perimeter;
  const planePixels = (planeCopies + picture.codedFrames - 1) * coded + picture.codedFrames * margins;
  const pixelBytes = channels * Math.ceil(bitDepth / 8);
  const blocks = blockBytesPerPixel * (coded + blockMargin * perimeter);
  return blocks + planePixels * samples * sampleBytes + width * height * pixelBytes;
}
