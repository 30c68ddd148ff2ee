import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorTable } from '../../src/error-table.ts';
import { decodeImage } from '../../src/image/decode.ts';
import type { RasterShape } from '../../src/image/types.ts';
import { assertColour, assertRejects, limits } from './fixtures.ts';
import { type FormatRow, fourColours } from './formats/format-row.ts';
import { formatTables } from './formats/format-tables.ts';

const shape: RasterShape = { width: 64, height: 64, resize: 'stretch' };
const documented = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8');

/** The first two cells of the rows of the table below a heading. */
function listRows(heading: string): string[] {
  const [, section = ''] = documented.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  const rows = own.split('\n').filter((line) => /^\| [^-]/.test(line));
  const cells = rows.map((line) =>
    line
      .split('|')
      .slice(1, 3)
      .map((cell) => cell.trim())
      .join(': '),
  );
  return cells.slice(1);
}

function toDocumented({ picture, refused }: FormatRow): string {
  return `${picture}: ${refused === undefined ? 'judged' : String(errorTable[refused].status)}`;
}

/** The mean colour of a quarter of a raster for `shape`. */
function averageQuarter(raster: Uint8Array, quarter: number): number[] {
  const [half, first] = [shape.width / 2, [(quarter % 2) * 32, Math.floor(quarter / 2) * 32] as const];
  const sums = [0, 0, 0];
  for (let at = 0; at < half * half; at += 1) {
    const pixel = (first[1] + Math.floor(at / half)) * shape.width + first[0] + (at % half);
    for (let channel = 0; channel < 3; channel += 1) {
      sums[channel] = (sums[channel] ?? 0) + (raster[pixel * 3 + channel] ?? 0);
    }
  }
  return sums.map((sum) => sum / half ** 2);
}

async function assertSeen({ picture, make, seen = fourColours, within = 3 }: FormatRow): Promise<void> {
  const raster = await decodeImage(await make(), shape, limits);
  for (const [quarter, colour] of seen.entries()) {
    assertColour(averageQuarter(raster, quarter), colour, within, `${picture}, quarter ${String(quarter)}`);
  }
}

for (const [format, rows] of Object.entries(formatTables)) {
  test(`docs/formats.md has a row for each kind of ${format} that is tried, and no other`, () => {
    assert.deepEqual(listRows(format).sort(), rows.map(toDocumented).sort());
  });

  for (const row of rows) {
    const { picture, refused } = row;
    test(`${format}, ${picture}: ${refused === undefined ? 'four colours in, the same out' : 'refused'}`, async () => {
      if (refused === undefined) await assertSeen(row);
      else await assertRejects(decodeImage(await row.make(), shape, limits), refused, picture);
    });
  }
}
