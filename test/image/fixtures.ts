import assert from 'node:assert/strict';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { type ErrorCode, ServiceError } from '../../src/errors.ts';
import type { DecodeLimits, RasterShape, ResizeMode } from '../../src/image/types.ts';

export const limits: DecodeLimits = { maxPixels: 52_000_000, decodeTimeoutMs: 5000, maxDecodeBytes: 2 ** 28 };
export const square: RasterShape = { width: 32, height: 32, resize: 'stretch' };

export const resizeModes: readonly ResizeMode[] = ['cover', 'contain', 'stretch', 'long-side'];

export type Colour = readonly [red: number, green: number, blue: number];
export const red: Colour = [255, 0, 0];
export const green: Colour = [0, 255, 0];
export const blue: Colour = [0, 0, 255];
export const white: Colour = [255, 255, 255];
export const black: Colour = [0, 0, 0];

/** A picture of one colour. */
export function drawPlain([r, g, b]: Colour, width = 32, height = 32): Sharp {
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } }, limitInputPixels: false });
}

/** A picture whose pixels come from `toColour`, ready to be encoded. */
export function drawPixels(width: number, height: number, toColour: (x: number, y: number) => Colour): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at += 1) pixels.set(toColour(at % width, Math.floor(at / width)), at * 3);
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Red and green above blue and white. */
export function drawQuarters(width: number, height: number): Sharp {
  return drawPixels(width, height, (x, y) => {
    if (y < height / 2) return x < width / 2 ? red : green;
    return x < width / 2 ? blue : white;
  });
}

/** A picture that does not compress to nothing, and is the same each time. */
export function drawNoise(width: number, height: number): Sharp {
  return drawPixels(width, height, toNoise);
}

/** The pixels of `drawNoise`. */
export function toNoise(x: number, y: number): Colour {
  const value = (x * 31 + y * 17 + ((x * y) % 97) * 5) & 255;
  return [value, 255 - value, (value * 3) & 255];
}

export function pixelAt(raster: Uint8Array, width: number, x: number, y: number): number[] {
  return [...raster.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

/** Fails unless each channel is within `tolerance` of what is expected. */
export function assertColour(actual: readonly number[], expected: Colour, tolerance: number, about = ''): void {
  assert.equal(actual.length, 3, about);
  const isNear = expected.every((value, channel) => Math.abs(value - (actual[channel] ?? NaN)) <= tolerance);
  assert.ok(isNear, `${about} is [${actual.join(', ')}], wanted [${expected.join(', ')}] ± ${String(tolerance)}`);
}

/** Fails unless the pixel in the middle of a raster for `square` has the colour. */
export function assertMiddle(raster: Uint8Array, expected: Colour, tolerance: number, about = ''): void {
  assert.equal(raster.length, square.width * square.height * 3, about);
  assertColour(pixelAt(raster, square.width, square.width / 2, square.height / 2), expected, tolerance, about);
}

/** Fails unless it is rejected with `code` and with a detail that is fit for a client. */
export async function assertRejects(running: Promise<unknown>, code: ErrorCode, about = ''): Promise<ServiceError> {
  const thrown = await running.then(
    () => assert.fail(`${about} was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof ServiceError, `${about} threw ${String(thrown)}`);
  assert.equal(thrown.code, code, `${about}: ${thrown.detail}`);
  assert.match(thrown.detail, /^[\w ,.:;×]{10,160}$/, about);
  assert.doesNotMatch(thrown.detail, /vips|sharp|buffer|png_|libpng|tiff2/i, about);
  return thrown;
}

export const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

export function toChunk(type: string, data: Uint8Array = new Uint8Array()): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** The header of a PNG with 8-bit RGB. */
export function toPngHeader(width: number, height: number): Buffer {
  const data = Buffer.from('00000000000000000802000000', 'hex');
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  return toChunk('IHDR', data);
}

/** A whole PNG of 8 × 8 pixels of one colour, with `extra` chunks before the pixels. */
export function toSmallPng(colour: Colour, extra: readonly Uint8Array[]): Buffer {
  const row = Buffer.from([0, ...Array.from({ length: 8 }, () => [...colour]).flat()]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: 8 }, () => row)));
  return Buffer.concat([pngSignature, toPngHeader(8, 8), ...extra, toChunk('IDAT', pixels), toChunk('IEND')]);
}

/** The most memory that this process has had, in bytes. */
export function readPeakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
