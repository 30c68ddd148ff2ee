/**
 * Weights of red, green and blue in the luma of ITU-R BT.601 (also JPEG's Y), in 65536ths like Pillow's `convert('L')`: their
 * sums are exact in float32, so all engines round alike.
 */
export const lumaWeights = [19_595 / 65_536, 38_470 / 65_536, 7_471 / 65_536];
