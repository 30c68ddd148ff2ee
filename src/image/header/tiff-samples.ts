import { ServiceError } from '../../errors.ts';
import {
  readNumbers,
  readRationals,
  type TiffField,
  type TiffLayout,
  type TiffTable,
  type TiffTag,
  tiffTags,
} from './tiff-fields.ts';

/** How YCbCr becomes RGB (TIFF 6.0, section 21). */
export interface YcbcrFormula {
  /** The shares of red, green and blue in luminance. */
  readonly luminance: readonly number[];
  /** Of each component the codes of black, or of no colour, and of white, or of full colour. */
  readonly reference: readonly number[];
}

/** How the library may be trusted with the samples of a TIFF. */
export type TiffSamples =
  /** It makes the right colours of them. */
  | { readonly kind: 'plain' }
  /** It would take samples that are no colour, and no alpha either, for alpha. */
  | { readonly kind: 'extra' }
  /** It gives them as they are stored. */
  | { readonly kind: 'ycbcr'; readonly formula: YcbcrFormula };

/** What the fields say of samples. What they leave out has the standard's default. */
export interface SampleFields {
  readonly photometric: number | undefined;
  readonly bits: number;
  readonly samples: number;
  readonly formats: readonly number[];
  readonly extras: readonly number[];
  readonly compression: number;
  readonly isSeparate: boolean;
  readonly isTiled: boolean;
  readonly inkSet: number;
  readonly subsampling: readonly number[];
}

/** Values of PhotometricInterpretation. */
export const photometrics = { rgb: 2, palette: 3, separated: 5, ycbcr: 6, lab: 8 } as const;
/** Colour samples of a pixel; other kinds are not supported. */
const colourSamples: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3 };
const planar: ReadonlySet<number> = new Set([photometrics.rgb, photometrics.separated]);
const wholeBits = new Set([8, 16]);
const partBits = new Set([1, 2, 4]);
/** CCITT, LZW, both kinds of JPEG, deflate, PackBits, WebP: what sharp's libtiff is built with. */
const compressions = new Set([1, 2, 3, 4, 5, 6, 7, 8, 32_771, 32_773, 32_946, 50_001]);
const jpegCompressions = new Set([6, 7]);
/** Values of a field that are looked at: one for each sample. */
export const maxValues = 16;
/** libvips is asked to take no more. */
const maxSamples = 5;
/** SampleFormat of unsigned integers, and of what has no format. */
const unsignedFormats = new Set([1, 4]);
/** ExtraSamples of alpha: premultiplied, and not. */
const premultiplied = 1;
const alphas = new Set([premultiplied, 2]);

const standardLuminance = [0.299, 0.587, 0.114];
const fullRange = [0, 255, 128, 255, 128, 255];

/**
 * Tells how the samples of a directory become colours.
 * @throws ERR_IMAGE_CORRUPT for kinds that nothing here makes the right colours of
 */
export function toSamples(layout: TiffLayout, table: TiffTable, fields: SampleFields): TiffSamples {
  assertSupported(fields);
  if (isStoredYcbcr(fields)) return { kind: 'ycbcr', formula: readFormula(layout, table) };
  return { kind: hasUnknownExtras(fields) ? 'extra' : 'plain' };
}

/** Whether the library takes a detour over whole strips of RGBA. */
export function isReadAsRgba({ photometric, compression, subsampling }: SampleFields): boolean {
  if (photometric !== photometrics.ycbcr) return false;
  return !jpegCompressions.has(compression) && subsampling.some((step) => step !== 1);
}

/** Reads what a directory says of samples. */
export function readSampleFields(layout: TiffLayout, { fields }: TiffTable): SampleFields {
  const readAll = (tag: TiffTag): number[] => readNumbers(layout, fields.get(tag), maxValues);
  const read = (tag: TiffTag): number | undefined => readNumbers(layout, fields.get(tag), 1)[0];
  const subsampling = readAll(tiffTags.subsampling);
  return {
    photometric: read(tiffTags.photometric),
    // Readers take all samples to be as deep as the first; a deeper one must not be priced too low.
    bits: Math.max(1, ...readAll(tiffTags.bitsPerSample)),
    samples: read(tiffTags.samplesPerPixel) ?? 1,
    formats: readAll(tiffTags.sampleFormat),
    extras: readAll(tiffTags.extraSamples),
    compression: read(tiffTags.compression) ?? 1,
    isSeparate: read(tiffTags.planarConfiguration) === 2,
    isTiled: fields.has(tiffTags.tileWidth),
    inkSet: read(tiffTags.inkSet) ?? 1,
    subsampling: subsampling.length === 2 ? subsampling : [2, 2],
  };
}

function assertSupported(fields: SampleFields): void {
  const { photometric, bits, samples, formats, compression, isSeparate, isTiled, inkSet } = fields;
  // Nothing is displayed without one, but the library may object better.
  if (photometric === undefined) return;
  const colours = colourSamples[photometric];
  if (colours === undefined) throw toUnfit(`the colour space ${String(photometric)}`);
  if (!compressions.has(compression)) throw toUnfit(`the compression ${String(compression)}`);
  if (photometric === photometrics.separated && inkSet !== 1) throw toUnfit('inks other than CMYK');
  if (samples < colours || samples > maxSamples) throw toUnfit(`${String(samples)} samples a pixel`);
  if (!formats.every((format) => unsignedFormats.has(format))) throw toUnfit('signed or floating point samples');
  const hasPart = partBits.has(bits) && [0, 1, photometrics.palette].includes(photometric) && samples === 1;
  if (!wholeBits.has(bits) && !hasPart) throw toUnfit(`samples of ${String(bits)} bits`);
  if (isSeparate && samples > 1) {
    if (isTiled) throw toUnfit('tiles of separate planes');
    // libvips puts the rows of others together wrongly.
    if (!planar.has(photometric)) throw toUnfit('separate planes of other than RGB or CMYK');
  }
  // libvips objects to those that it makes of 8 bits.
  if (photometric === photometrics.lab && bits !== 16) throw toUnfit('Lab of 8 bits');
  assertAlpha(fields, samples - colours);
  assertYcbcr(fields);
}

function assertAlpha({ photometric, extras }: SampleFields, count: number): void {
  if (photometric === photometrics.lab && count > 0) throw toUnfit('Lab with extra samples');
  const hasAlpha = extras.slice(0, count).some((kind) => alphas.has(kind));
  if (hasAlpha && count > 1) throw toUnfit('alpha beside other extra samples');
  if (hasAlpha && photometric === photometrics.palette && extras[0] === premultiplied) {
    throw toUnfit('a palette with premultiplied alpha');
  }
}

function assertYcbcr({ photometric, bits, samples }: SampleFields): void {
  if (photometric !== photometrics.ycbcr) return;
  if (bits !== 8 || samples !== 3) throw toUnfit('YCbCr other than three samples of 8 bits');
}

function isStoredYcbcr({ photometric, compression, subsampling }: SampleFields): boolean {
  if (photometric !== photometrics.ycbcr || jpegCompressions.has(compression)) return false;
  return subsampling.every((step) => step === 1);
}

function hasUnknownExtras({ photometric, samples, extras }: SampleFields): boolean {
  const colours = colourSamples[photometric ?? photometrics.rgb] ?? samples;
  return samples > colours && !alphas.has(extras[0] ?? 0);
}

function readFormula(layout: TiffLayout, { fields }: TiffTable): YcbcrFormula {
  const read = (tag: TiffTag, count: number): number[] | undefined => {
    const field: TiffField | undefined = fields.get(tag);
    return readRationals(layout, field, count) ?? listWhole(readNumbers(layout, field, count), count);
  };
  return {
    luminance: read(tiffTags.luminance, 3) ?? standardLuminance,
    reference: read(tiffTags.referenceBlackWhite, 6) ?? fullRange,
  };
}

/** Some writers store whole numbers. */
function listWhole(values: number[], count: number): number[] | undefined {
  return values.length === count ? values : undefined;
}

/** The error for kinds of samples that would become wrong colours. */
export function toUnfit(what: string): ServiceError {
  const detail = `the TIFF image has ${what}, which is not supported: ask the client for RGB of 8 bits, or JPEG`;
  return new ServiceError('ERR_IMAGE_CORRUPT', detail);
}
