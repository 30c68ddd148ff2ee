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
 * Tells whether an ICC profile is one of sRGB: its primaries and its curve, whatever it calls itself. From such a one
 * nothing has to be converted.
 * @returns false for damaged ones, too
 */
export function isStandardProfile(profile: Uint8Array): boolean {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  try {
    if (toText(view, 16) !== 'RGB ' || toText(view, 20) !== 'XYZ ') return false;
    const tags = readTags(view);
    // A table says more than primaries and curves do, and goes before them.
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
  const curve = toText(view, at) === 'para' ? readFormula(view, at) : readTable(view, at);
  return curve !== undefined && samples.every((x) => isNear(curve(x), toLinear(x)));
}

/** A parametric curve with a linear part (ICC.1:2022, 10.18, type 3). */
function readFormula(view: DataView, at: number): ((x: number) => number) | undefined {
  if (view.getUint16(at + 8) !== 3) return undefined;
  const [g, a, b, c, d] = [12, 16, 20, 24, 28].map((offset) => readFixed(view, at + offset));
  if (g === undefined || a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return (x) => (x >= d ? (a * x + b) ** g : c * x);
}

/** A table of 16-bit values over 0…1 (10.6); one of fewer than three is a mere exponent. */
function readTable(view: DataView, at: number): ((x: number) => number) | undefined {
  const count = toText(view, at) === 'curv' ? view.getUint32(at + 8) : 0;
  if (count < 3) return undefined;
  const read = (index: number): number => view.getUint16(at + 12 + 2 * index) / 65535;
  return (x) => {
    const place = x * (count - 1);
    const below = Math.floor(place);
    const above = Math.ceil(place);
    return read(below) + (read(above) - read(below)) * (place - below);
  };
}

function toLinear(x: number): number {
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
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
