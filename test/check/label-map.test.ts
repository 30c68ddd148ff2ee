import assert from 'node:assert/strict';
import test from 'node:test';
import { createLabelMapper, type LabelMapper } from '../../src/check/label-map.ts';
import type { PlannedModel } from '../../src/check/plan.ts';
import { toModelResult } from '../../src/check/verdict.ts';
import { toManifest } from '../../src/model/manifest.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';

const labels = ['a', 'b', 'c'];
const grid = { tensor: '1', width: 4, height: 2 };

function makeModel(resize: string): ModelVersion {
  const manifest = {
    format: 'tfjs-layers',
    input: { width: 40, height: 20, resize },
    output: { kind: 'multi-label', labels, map: grid },
    policy: { a: { review: 0.5, reject: 0.8 }, b: { review: 0.5 } },
    files: {},
  };
  return { name: 'm', version: '1', dir: '/', manifest: toManifest(JSON.stringify(manifest)) };
}

/** Each cell holds its place in the grid, plus a hundred for each label before. */
const numbered = Float32Array.from({ length: 24 }, (_, at) => Math.floor(at / 3) + 100 * (at % 3));

function toMapper(resize: string, width: number, height: number, values = numbered): LabelMapper {
  const mapper = createLabelMapper(makeModel(resize).manifest, values, { width, height });
  assert.ok(mapper, 'the model has a map');
  return mapper;
}

test('each_label_gets_its_own_scores_row_by_row', () => {
  const toMap = toMapper('stretch', 400, 300);
  assert.deepEqual(toMap(0), {
    columns: 4,
    rows: 2,
    scores: [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ],
  });
  assert.deepEqual(toMap(2).scores, [
    [200, 201, 202, 203],
    [204, 205, 206, 207],
  ]);
});

test('cells_beside_the_picture_are_left_out', () => {
  assert.deepEqual(toMapper('contain', 300, 300)(1), {
    columns: 2,
    rows: 2,
    scores: [
      [101, 102],
      [105, 106],
    ],
  });
});

test('the_area_of_a_cropped_picture_is_told', () => {
  const { columns, area } = toMapper('cover', 800, 200)(0);
  assert.deepEqual([columns, area], [4, { left: 0.25, top: 0, width: 0.5, height: 1 }]);
});

function toPlanned(model: ModelVersion): PlannedModel {
  return { model, policy: { name: 'default', thresholds: model.manifest.policy }, isPolicyTold: false };
}

test('only_flagged_labels_have_a_map', () => {
  const toMap = toMapper('stretch', 400, 300);
  const flagged = (...scores: number[]): string[] =>
    toModelResult(toPlanned(makeModel('stretch')), 'wasm', Float32Array.from(scores), toMap)
      .labels.filter((label) => label.map)
      .map(({ label }) => label);
  assert.deepEqual(flagged(0.9, 0.6, 1), ['a', 'b']);
  assert.deepEqual(flagged(0.5, 0, 1), ['a']);
  assert.deepEqual(flagged(0, 0, 1), []);
});

test('without_the_question_there_is_no_map', () => {
  const { labels: results } = toModelResult(toPlanned(makeModel('stretch')), 'wasm', Float32Array.of(1, 1, 1));
  assert.ok(
    results.every((result) => !('map' in result)),
    'no label has one',
  );
});

test('a_map_with_a_score_that_is_not_a_number_is_a_bug_not_an_answer', () => {
  assert.throws(() => toMapper('stretch', 40, 20, numbered.with(5, NaN)), /not a number/);
});

test('a_model_without_a_map_has_no_mapper', () => {
  const { manifest } = makeModel('stretch');
  const without = { ...manifest, output: { ...manifest.output, map: undefined } };
  assert.equal(createLabelMapper(without, numbered, { width: 40, height: 20 }), undefined);
});
