/** Outcomes of the inputs of one kind. */
interface Row {
  inputs: number;
  readonly outcomes: Map<string, number>;
  slowestMs: number;
  slowest: string;
}

/** Counts outcomes of inputs, by kind. */
export interface Tally {
  add(kind: string, outcome: string, name: string, tookMs: number): void;
  /** Number of inputs. */
  count(): number;
  /** A table: one line per kind, the most frequent outcome first. */
  describe(): string;
}

/** Builds an empty tally. */
export function createTally(): Tally {
  const rows = new Map<string, Row>();
  return {
    add: (kind, outcome, name, tookMs) => {
      const row = rows.get(kind) ?? { inputs: 0, outcomes: new Map<string, number>(), slowestMs: 0, slowest: '' };
      rows.set(kind, row);
      row.inputs += 1;
      row.outcomes.set(outcome, (row.outcomes.get(outcome) ?? 0) + 1);
      if (tookMs > row.slowestMs) Object.assign(row, { slowestMs: tookMs, slowest: name });
    },
    count: () => [...rows.values()].reduce((sum, { inputs }) => sum + inputs, 0),
    describe: () => {
      const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, row]) => describeRow(kind, row));
      return ['kind    inputs  slowest  outcomes', ...lines].join('\n');
    },
  };
}

function describeRow(kind: string, { inputs, outcomes, slowestMs, slowest }: Row): string {
  const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${outcome}: ${String(count)}`);
  const slow = `${slowestMs.toFixed(0)} ms`.padStart(7);
  return `${kind.padEnd(6)} ${String(inputs).padStart(7)}  ${slow}  ${counts.join(', ')} (slowest: ${slowest})`;
}
