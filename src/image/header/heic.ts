import type { Size } from '../types.ts';
import { type Box, findBox, listBoxes } from './boxes.ts';
import { type ByteRange, type CommonFacts, toCode, toView } from './header-facts.ts';
import { countFrames } from './heif-frames.ts';
import { type HeifItem, type HeifItems, readExtents, readItems } from './heif-items.ts';

/** What the boxes of a HEIC say of its primary picture; width and height are upright, as its properties turn and cut it. */
export interface HeicFacts extends CommonFacts {
  readonly format: 'heic';
  /** Pixels of all coded pictures of the file. */
  readonly codedPixels: number;
  readonly hasAlpha: boolean;
  /** The ICC profile, if there is one. */
  readonly profile: ByteRange | undefined;
}

const codes = {
  meta: toCode('meta'),
  coded: toCode('hvc1'),
  configuration: toCode('hvcC'),
  auxiliary: toCode('auxC'),
  cut: toCode('clap'),
  turned: toCode('irot'),
  colour: toCode('colr'),
  profiles: new Set([toCode('prof'), toCode('rICC')]),
};
/** Where hvcC says how deep luminance is, above 8 bits (ISO/IEC 14496-15, 8.3.3.1). */
const depthAt = 17;
const alphaNames = /auxid:1\0|auxiliary:alpha\0/;

/**
 * Reads the boxes of a HEIC.
 * @returns undefined where it has no primary picture with a size, as image sequences
 * @throws ERR_IMAGE_TOO_COSTLY for too many parts, RangeError where the file ends within a header
 */
export function readHeicHeader(bytes: Uint8Array): HeicFacts | undefined {
  const view = toView(bytes);
  const boxes = listBoxes(view, { start: 0, end: bytes.length });
  const meta = findBox(boxes, codes.meta);
  if (meta === undefined) return undefined;
  const found = readItems(view, meta);
  const main = found.items.find(({ id }) => id === found.primary);
  const stored = main && readExtents(view, main);
  if (stored === undefined || stored.width === 0 || stored.height === 0) return undefined;
  const hasAlpha = found.items.some((item) => isAlpha(bytes, item));
  return {
    format: 'heic',
    ...toUpright(view, stored, main?.properties ?? []),
    bitDepth: readDepth(view, found),
    channels: hasAlpha ? 4 : 3,
    codedPixels: sumCoded(view, found),
    hasAlpha,
    frames: countFrames(view, boxes),
    profile: readProfile(view, main?.properties ?? []),
  };
}

/** Properties are applied in the order in which an item names them. */
function toUpright(view: DataView, stored: Size, properties: readonly Box[]): Size {
  let { width, height } = stored;
  for (const { type, start } of properties) {
    if (type === codes.turned && (view.getUint8(start) & 1) === 1) [width, height] = [height, width];
    if (type !== codes.cut) continue;
    width = Math.round(view.getUint32(start) / view.getUint32(start + 4));
    height = Math.round(view.getUint32(start + 8) / view.getUint32(start + 12));
  }
  return { width, height };
}

function readDepth(view: DataView, { items }: HeifItems): number {
  const depths = items.map((item) => {
    const box = findBox(item.properties, codes.configuration);
    return box === undefined ? 8 : 8 + (view.getUint8(box.start + depthAt) & 7);
  });
  return Math.max(8, ...depths);
}

function sumCoded(view: DataView, { items }: HeifItems): number {
  const coded = new Map(
    items.map((item) => [item.id, item.type === codes.coded ? readExtents(view, item) : undefined]),
  );
  const toPixels = (id: number): number => {
    const size = coded.get(id);
    return size ? size.width * size.height : 0;
  };
  // A picture that is put together may name one part many times, and each time it is decoded.
  return items.reduce((sum, { id, parts }) => parts.reduce((all, part) => all + toPixels(part), sum + toPixels(id)), 0);
}

function isAlpha(bytes: Uint8Array, item: HeifItem): boolean {
  const box = findBox(item.properties, codes.auxiliary);
  return box !== undefined && alphaNames.test(Buffer.from(bytes.subarray(box.start + 4, box.end)).toString('latin1'));
}

function readProfile(view: DataView, properties: readonly Box[]): ByteRange | undefined {
  const box = properties.find(({ type, start }) => type === codes.colour && codes.profiles.has(view.getUint32(start)));
  return box && { start: box.start + 4, end: Math.min(box.end, view.byteLength) };
}
