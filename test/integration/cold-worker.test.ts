import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeQuadsModel } from '../fixtures/quads-model.ts';
import { startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw, type VerdictBody } from '../fixtures/uploads.ts';
import { drawNoise } from '../image/fixtures.ts';

function listScores(body: VerdictBody): number[] {
  return body.images?.[0]?.checks?.[0]?.labels.map(({ score }) => score) ?? [];
}

test('the_first_answer_of_a_cold_worker_has_the_scores_of_all_that_follow', async (context) => {
  const dir = makeTempDir(context);
  await writeQuadsModel(dir, 'quality');
  const service = await startService(context, { args: ['--models', dir, '--workers', '1'] });
  // Edges, which decoders reduce differently.
  const bytes = await drawNoise(1001, 777).jpeg({ quality: 90 }).toBuffer();
  const cold = await postRaw(service.url, bytes);
  assert.equal(cold.status, 200);
  for (let round = 0; round < 3; round += 1) {
    const { body } = await postRaw(service.url, bytes);
    for (const [index, score] of listScores(body).entries()) {
      const first = listScores(cold.body)[index] ?? NaN;
      assert.ok(Math.abs(score - first) <= 1e-4, `${String(first)} first, then ${String(score)}`);
    }
  }
});
