import { type Curve, standardCurve } from './colour/curves.ts';

/** Colorants of sRGB as profiles hold them, adapted to D50 (IEC 61966-2-1, ICC.1:2022 annex E). */
const colorants: Readonly<Record<string, readonly number[]>> = {
  rXYZ: [0.436, 0.2225, 0.0139],
  gXYZ: [0.3851, 0.7169, 0.0971],
  bXYZ: [0.1431, 0.0606, 0.7141],
};
const curves = ['rTRC', 'gTRC', 'bTRC'];
/** Profiles round differently; this is far below a step of 8 bits. */
const tolerance = 0.002;
/** Where a curve is looked at, 0…1. */
const samples = [0.02, 0.1, 0.25, 0.5, 0.75, 1];

const headerBytes = 128;
const tagBytes = 12;

/**
 * Tells whether an ICC profile describes sRGB, by its primaries and curve, not by its name. No conversion is needed then.
 * @returns false for damaged ones, too
 */
export function isStandardProfile(profile: Uint8Array): boolean {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  try {
    if (toText(view, 16) !== 'RGB ' || toText(view, 20) !== 'XYZ ') return false;
    const tags = readTags(view);
    // A table takes precedence over primaries and curves.
    if (tags.has('A2B0')) return false;
    const hasColorants = Object.entries(colorants).every(([name, wanted]) =>
      wanted.every((value, axis) => isNear(readFixed(view, toOffset(tags, name) + 8 + 4 * axis), value)),
    );
    return hasColorants && curves.every((name) => isStandardCurve(view, toOffset(tags, name)));
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

/**
 * Reads how a profile for grey takes stored samples to light.
 * @returns undefined for profiles of other colours, and for damaged ones
 */
export function readGreyCurve(profile: Uint8Array): Curve | undefined {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  try {
    if (toText(view, 16) !== 'GRAY') return undefined;
    const curve = readCurve(view, toOffset(readTags(view), 'kTRC'));
    if (curve === undefined || toText(view, 20) !== 'Lab ') return curve;
    return (stored) => toLuminance(100 * curve(stored));
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** Light of CIE lightness, 0…100. */
function toLuminance(lightness: number): number {
  return lightness > 8 ? ((lightness + 16) / 116) ** 3 : (lightness * 27) / 24_389;
}

function readTags(view: DataView): Map<string, number> {
  const tags = new Map<string, number>();
  for (let tag = 0; tag < view.getUint32(headerBytes); tag += 1) {
    const at = headerBytes + 4 + tag * tagBytes;
    tags.set(toText(view, at), view.getUint32(at + 4));
  }
  return tags;
}

function toOffset(tags: ReadonlyMap<string, number>, name: string): number {
  return tags.get(name) ?? Infinity;
}

function isStandardCurve(view: DataView, at: number): boolean {
  const curve = readCurve(view, at);
  return curve !== undefined && samples.every((x) => isNear(curve(x), standardCurve(x)));
}

function readCurve(view: DataView, at: number): Curve | undefined {
  return toText(view, at) === 'para' ? readFormula(view, at) : readTable(view, at);
}

/** Parameters of a parametric curve by its type. */
const parameterCounts = [1, 3, 4, 5, 7];

/** A parametric curve (ICC.1:2022, 10.18): a power, and below a limit a line. */
function readFormula(view: DataView, at: number): Curve | undefined {
  const type = view.getUint16(at + 8);
  const count = parameterCounts[type];
  if (count === undefined) return undefined;
  const parameters = Array.from({ length: count }, (_, index) => readFixed(view, at + 12 + 4 * index));
  const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = parameters;
  if (type === 0) return (x) => x ** g;
  if (type <= 2) return (x) => Math.max(0, a * x + b) ** g + (type === 2 ? c : 0);
  return (x) => (x >= d ? Math.max(0, a * x + b) ** g + e : c * x + f);
}

/** A table of 16-bit values over 0…1 (10.6): none is a line, one is an exponent of 8.8 bits. */
function readTable(view: DataView, at: number): Curve | undefined {
  if (toText(view, at) !== 'curv') return undefined;
  const count = view.getUint32(at + 8);
  if (count === 0) return (x) => x;
  const exponent = view.getUint16(at + 12) / 256;
  if (count === 1) return (x) => x ** exponent;
  // One that reaches beyond the end is found before its pixels are.
  view.getUint16(at + 12 + 2 * (count - 1));
  const read = (index: number): number => view.getUint16(at + 12 + 2 * index) / 65535;
  return (x) => {
    const place = x * (count - 1);
    const below = Math.floor(place);
    const above = Math.ceil(place);
    return read(below) + (read(above) - read(below)) * (place - below);
  };
}

function readFixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65536;
}

function isNear(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= tolerance;
}

/** @throws RangeError beyond the end */
function toText(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(at + index)));
}
