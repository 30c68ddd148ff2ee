// Decodes one picture and prints the rise of the process's memory and its price, in bytes, as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { noDeadline } from '../../src/deadline.ts';
import { decodeMeasured } from '../../src/image/decode.ts';
import { measureImage } from '../../src/image/header.ts';
import { isSampled, type RasterShape } from '../../src/image/types.ts';
import { drawPlain, limits, red } from './fixtures.ts';

export interface DecodeCost {
  readonly rise: number;
  readonly priced: number;
}

const [file = '', kernel] = process.argv.slice(2);
const sampled = { width: 64, height: 64, resize: 'stretch', kernel: 'bilinear' } as const;
const shape: RasterShape = kernel === 'bilinear' ? sampled : { ...sampled, kernel: 'lanczos' };
const roomy = { ...limits, decodeTimeoutMs: 120_000, maxDecodeBytes: 2 ** 31 };

function readBytes(field: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

// Code that the first decode of a process loads is not part of the price.
const small = await measureImage(await drawPlain(red).png().toBuffer(), roomy);
await decodeMeasured(small, shape, roomy, noDeadline);
const image = await measureImage(readFileSync(file), roomy);
// The peak is counted from here.
writeFileSync('/proc/self/clear_refs', '5');
const before = readBytes('VmRSS');
await decodeMeasured(image, shape, roomy, noDeadline);
const cost: DecodeCost = {
  rise: readBytes('VmHWM') - before,
  priced: isSampled(shape) ? image.fullDecodeBytes : image.decodeBytes,
};
console.log(JSON.stringify(cost));
