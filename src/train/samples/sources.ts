/** Origin and licence of a photograph. */
export interface Source {
  readonly origin: string;
  readonly licence: string;
}

/** Parses `SOURCES.tsv`: its first line names the columns, among them `file`, `source` and `licence`. */
export function toSources(tsv: string): ReadonlyMap<string, Source> {
  const [head = [], ...rows] = tsv
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split('\t'));
  const [file, origin, licence] = ['file', 'source', 'licence'].map((column) => head.indexOf(column));
  const toCell = (row: string[], column = -1) => row[column]?.trim() || 'unknown';
  return new Map(
    rows.map((row) => [toCell(row, file), { origin: toCell(row, origin), licence: toCell(row, licence) }]),
  );
}
