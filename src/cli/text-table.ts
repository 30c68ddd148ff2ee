/** Lays out rows of cells in columns of equal width, two spaces apart; the last cell of a row ends its line. */
export function toTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    // The last cell of a shorter row may overflow: it holds a sentence.
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const toLine = (row: readonly string[]): string =>
    row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell)).join('  ');
  return rows.map((row) => `${toLine(row)}\n`).join('');
}
