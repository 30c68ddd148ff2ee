/** Side of JPEG's blocks and of the first layer's filters. */
export const blockSide = 8;

/** High frequencies, across and down, that show fine detail, noise and block edges. */
const fineWaves = [
  [0, 6],
  [6, 0],
  [0, 7],
  [7, 0],
  [2, 5],
  [5, 2],
  [4, 4],
  [6, 6],
  [7, 7],
] as const;
const slowest = 5;

/**
 * Builds basis functions of JPEG's DCT (ITU-T T.81, A.3.3) as the weights of a convolution. Compression, blur and noise
 * show in their responses, so a network that starts with them need not learn them. High frequencies are weak in pictures;
 * the responses are scaled to a similar variance, at most 1.
 * @returns 32 filters, float32 [height, width, 3] each, the first three for brightness and two colour differences
 */
export function createDctFilters(): readonly Float32Array[] {
  const slow = Array.from({ length: slowest }, (_, index) => index + 1).flatMap((sum) =>
    Array.from({ length: sum + 1 }, (_, across) => [across, sum - across] as const),
  );
  const flat = [
    [1, 1, 1],
    [1, -1, 0],
    [-0.5, -0.5, 1],
  ] as const;
  return [
    ...flat.map((colour) => toWave(0, 0, colour)),
    ...[...slow, ...fineWaves].map(([across, down]) => toWave(across, down, [0.3, 0.6, 0.1])),
  ];
}

/** Scales the brightness of a block to a standard deviation of about 0.6. */
const flatStrength = 0.2;

/** Computes the sum of squares of a wave along one side. */
function toSquare(frequency: number): number {
  return frequency === 0 ? blockSide : blockSide / 2;
}

function toWave(across: number, down: number, colour: readonly [number, number, number]): Float32Array {
  const wave = (frequency: number, place: number): number =>
    Math.cos(((2 * place + 1) * frequency * Math.PI) / (2 * blockSide));
  const isFlat = across + down === 0;
  const norm = Math.sqrt(toSquare(across) * toSquare(down));
  const strength = (isFlat ? flatStrength : 1.2 * (across + down) ** 1.5) / norm;
  const weights = new Float32Array(blockSide ** 2 * colour.length);
  for (let y = 0; y < blockSide; y += 1) {
    for (let x = 0; x < blockSide; x += 1) {
      for (const [channel, share] of colour.entries()) {
        weights[(y * blockSide + x) * 3 + channel] = strength * share * wave(across, x) * wave(down, y);
      }
    }
  }
  return weights;
}
