/** A chromaticity, x and y (CIE 1931). */
export type Chromaticity = readonly [x: number, y: number];

/** The primaries of an RGB space and its white. */
export interface Primaries {
  readonly white: Chromaticity;
  readonly red: Chromaticity;
  readonly green: Chromaticity;
  readonly blue: Chromaticity;
}

/** Three numbers: a colour, or a row of a matrix. */
export type Triple = readonly [number, number, number];

/** Three rows. */
export type Matrix = readonly [Triple, Triple, Triple];

const d65: Chromaticity = [0.3127, 0.329];

/** Those of sRGB and BT.709. */
export const standardPrimaries: Primaries = { white: d65, red: [0.64, 0.33], green: [0.3, 0.6], blue: [0.15, 0.06] };

/** By the code points of ITU-T H.273, table 2; missing codes are unspecified or equal sRGB. */
export const primariesByCode: ReadonlyMap<number, Primaries> = new Map([
  [5, { white: d65, red: [0.64, 0.33], green: [0.29, 0.6], blue: [0.15, 0.06] }],
  [6, { white: d65, red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07] }],
  [7, { white: d65, red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07] }],
  [9, { white: d65, red: [0.708, 0.292], green: [0.17, 0.797], blue: [0.131, 0.046] }],
  [11, { white: [0.314, 0.351], red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06] }],
  [12, { white: d65, red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06] }],
]);

/** Encoders round differently. */
const tolerance = 0.01;

/** Whether two spaces have the same primaries, within a rounding. */
export function isSamePrimaries(one: Primaries, other: Primaries): boolean {
  const list = ({ white, red, green, blue }: Primaries): number[] => [white, red, green, blue].flat();
  const others = list(other);
  return list(one).every((value, index) => Math.abs(value - (others[index] ?? NaN)) <= tolerance);
}

/**
 * The matrix that takes light of a space to that of sRGB, white to white.
 * @returns undefined where the primaries make no space
 */
export function toStandardMatrix(primaries: Primaries): Matrix | undefined {
  const toXyz = toXyzMatrix(primaries);
  const fromXyz = invert(toXyzMatrix(standardPrimaries));
  const matrix = multiply(fromXyz, multiply(toAdaptation(primaries.white), toXyz));
  return matrix.flat().every((value) => Number.isFinite(value)) ? matrix : undefined;
}

/** Applies a matrix to a colour. */
export function transform([first, second, third]: Matrix, colour: Triple): Triple {
  return [dot(first, colour), dot(second, colour), dot(third, colour)];
}

function toXyzMatrix({ white, red, green, blue }: Primaries): Matrix {
  const columns = transpose([toXyz(red), toXyz(green), toXyz(blue)]);
  const shares = transform(invert(columns), toXyz(white));
  return multiply(columns, toDiagonal(shares));
}

function toXyz([x, y]: Chromaticity): Triple {
  return [x / y, 1, (1 - x - y) / y];
}

/** Cone responses of the Bradford transform, by which ICC profiles adapt white (ICC.1:2022, annex E). */
const bradford: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

function toAdaptation(white: Chromaticity): Matrix {
  const [from, to] = [transform(bradford, toXyz(white)), transform(bradford, toXyz(d65))];
  const gains = toDiagonal([to[0] / from[0], to[1] / from[1], to[2] / from[2]]);
  return multiply(invert(bradford), multiply(gains, bradford));
}

function toDiagonal([a, b, c]: Triple): Matrix {
  return [
    [a, 0, 0],
    [0, b, 0],
    [0, 0, c],
  ];
}

function multiply(one: Matrix, other: Matrix): Matrix {
  const columns = transpose(other);
  const toRow = (row: Triple): Triple => transform(columns, row);
  return [toRow(one[0]), toRow(one[1]), toRow(one[2])];
}

function transpose([a, b, c]: Matrix): Matrix {
  return [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ];
}

function invert([a, b, c]: Matrix): Matrix {
  const determinant = dot(a, cross(b, c));
  const divide = ([x, y, z]: Triple): Triple => [x / determinant, y / determinant, z / determinant];
  return transpose([divide(cross(b, c)), divide(cross(c, a)), divide(cross(a, b))]);
}

function cross(one: Triple, other: Triple): Triple {
  return [
    one[1] * other[2] - one[2] * other[1],
    one[2] * other[0] - one[0] * other[2],
    one[0] * other[1] - one[1] * other[0],
  ];
}

function dot(one: Triple, other: Triple): number {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}
