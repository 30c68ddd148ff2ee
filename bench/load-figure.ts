/** What a load met. */
export interface LoadFigure {
  /** Answers with a status of 2xx. */
  readonly answered: number;
  /** Answers with any other status. */
  readonly refused: number;
  /** Requests without an answer. */
  readonly broken: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Counts and times of requests. */
export interface LoadCounts {
  readonly answered: number;
  readonly refused: number;
  readonly broken: number;
  readonly seconds: number;
  /** Milliseconds, ascending, and how many requests took them. */
  readonly latencies: readonly (readonly [ms: number, count: number])[];
}

/** Brings the counts of a load to one figure. */
export function toLoadFigure({ answered, refused, broken, seconds, latencies }: LoadCounts): LoadFigure {
  const total = latencies.reduce((sum, [, count]) => sum + count, 0);
  const toQuantile = (share: number): number => {
    let passed = 0;
    const found = latencies.find(([, count]) => (passed += count) >= total * share);
    return found?.[0] ?? NaN;
  };
  return {
    answered,
    refused,
    broken,
    perSecond: answered / seconds,
    p50Ms: toQuantile(0.5),
    p90Ms: toQuantile(0.9),
    p99Ms: toQuantile(0.99),
    maxMs: latencies.at(-1)?.[0] ?? NaN,
  };
}
