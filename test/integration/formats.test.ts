import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { errorTable } from '../../src/error-table.ts';
import { writeQuadsModel } from '../fixtures/quads-model.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw, type VerdictBody } from '../fixtures/uploads.ts';
import { assertColour } from '../image/fixtures.ts';
import { type FormatRow, fourColours } from '../image/formats/format-row.ts';
import { formatTables } from '../image/formats/format-tables.ts';

async function startQuads(context: TestContext): Promise<Service> {
  const dir = makeTempDir(context);
  await writeQuadsModel(dir, 'quality');
  return startService(context, { args: ['--models', dir, '--workers', '1'] });
}

function listScores(body: VerdictBody): number[] {
  return body.images?.[0]?.checks?.[0]?.labels.map(({ score }) => score) ?? [];
}

async function assertAnswer(service: Service, format: string, row: FormatRow): Promise<void> {
  const about = `${format}, ${row.picture}`;
  const headers = { 'Content-Type': 'application/octet-stream' };
  const { status, body } = await postRaw(service.url, await row.make(), { headers });
  if (row.refused !== undefined) {
    assert.deepEqual([status, body.code], [errorTable[row.refused].status, row.refused], about);
    return;
  }
  assert.equal(status, 200, `${about}: ${JSON.stringify(body)}`);
  const seen = listScores(body).map((score) => score * 255);
  for (const [quarter, colour] of (row.seen ?? fourColours).entries()) {
    assertColour(seen.slice(quarter * 3, quarter * 3 + 3), colour, row.within ?? 3, about);
  }
}

test('a_model_sees_through_the_service_what_docs_formats_md_says_of_each_kind_of_picture', async (context) => {
  const service = await startQuads(context);
  const before = service.stderr().length;
  for (const [format, rows] of Object.entries(formatTables)) {
    for (const row of rows) await assertAnswer(service, format, row);
  }
  const lines = service.stderr().slice(before).split('\n');
  const native = lines.filter((line) => line !== '' && (!line.startsWith('{') || line.includes('wrote to stderr')));
  assert.deepEqual(native, [], 'libraries write nothing to stderr');
});
