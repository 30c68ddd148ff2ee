/**
 * Weights of red, green and blue in the luma of ITU-R BT.601, which JPEG's Y is too, in the 65536ths in which Pillow has
 * them (`convert('L')`): sums of them are exact in 32 bits, so that all engines round alike.
 */
export const lumaWeights = [19_595 / 65_536, 38_470 / 65_536, 7_471 / 65_536];
