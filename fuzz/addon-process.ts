// Started by addon-fuzz.ts with the sanitizers in the process: makes rasters of mutated JPEGs, or runs a planted error.
import { openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ServiceError } from '../src/errors.ts';
import { assertPixels } from '../src/image/failures.ts';
import { loadNativeJpeg, toPlainDecode } from '../src/image/native-jpeg.ts';
import { type PlainJpeg, readPlainJpeg } from '../src/image/plain-jpeg.ts';
import type { RasterShape } from '../src/image/types.ts';
import type { AddonOrder, AddonOutcome, AddonReport } from './addon-order.ts';
import { drawPlainSeeds, makeAddonInput } from './plain-jpegs.ts';

const limits = { maxPixels: 52_000_000, decodeTimeoutMs: 5000, maxDecodeBytes: 2 ** 28 };
loadNativeJpeg();
const order = JSON.parse(process.argv[2] ?? '') as AddonOrder;
switch (order.kind) {
  case 'fuzz':
    console.log(JSON.stringify(await fuzz(order)));
    break;
  case 'replay':
    for (const shape of order.shapes) console.log(shape, await decode(readFileSync(order.file), shape));
    break;
  case 'planted':
    plant(order);
    break;
}

async function fuzz({ runSeed, from, to, endsAt, progressFile }: Extract<AddonOrder, { kind: 'fuzz' }>) {
  const seeds = await drawPlainSeeds();
  const progress = openSync(progressFile, 'w');
  const counts: Record<AddonOutcome, number> = { raster: 0, 'given back': 0, odd: 0, refused: 0 };
  let number = from;
  for (; number < to && Date.now() < endsAt; number += 1) {
    writeSync(progress, String(number).padEnd(12), 0);
    const { bytes, shape } = makeAddonInput(seeds, runSeed, number);
    counts[await decode(bytes, shape)] += 1;
  }
  return { next: number, counts } satisfies AddonReport;
}

async function decode(bytes: Buffer, shape: RasterShape): Promise<AddonOutcome> {
  let plain: PlainJpeg | undefined;
  try {
    plain = readPlainJpeg(bytes);
    if (plain !== undefined) assertPixels(plain.coded.width, plain.coded.height, limits);
  } catch (thrown) {
    if (thrown instanceof ServiceError) return 'refused';
    throw thrown;
  }
  // Memory of its own, so that the sanitizer knows where it ends.
  const start = plain && toPlainDecode({ plain, safeBytes: new Uint8Array(bytes) }, shape);
  if (start === undefined) return 'odd';
  return (await start()) === undefined ? 'given back' : 'raster';
}

function plant({ addon, error }: Extract<AddonOrder, { kind: 'planted' }>): void {
  const { plant: run } = createRequire(import.meta.url)(addon) as { plant: (isUndefined: boolean) => number };
  console.log(run(error === 'undefined'));
}
