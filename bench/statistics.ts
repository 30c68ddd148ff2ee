/** The value below which a share of the values lies, 0…1; NaN of none. */
export function toQuantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** The middle value; NaN of none. */
export function toMedian(values: readonly number[]): number {
  return toQuantile(values, 0.5);
}
