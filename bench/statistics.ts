/** The value below which a share of the values lies, 0…1; NaN of none. */
export function toQuantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** The middle value; NaN of none. */
export function toMedian(values: readonly number[]): number {
  return toQuantile(values, 0.5);
}

/** The straight line through points by least squares: its slope, and the standard error of that. */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): {
  slope: number;
  slopeError: number;
} {
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const varianceX = mean(({ x }) => (x - meanX) ** 2);
  const slope = mean(({ x, y }) => (x - meanX) * (y - meanY)) / varianceX;
  const residual = mean(({ x, y }) => (y - meanY - slope * (x - meanX)) ** 2);
  return { slope, slopeError: Math.sqrt(residual / varianceX / (points.length - 2)) };
}
