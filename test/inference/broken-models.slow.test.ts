import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ServiceError } from '../../src/errors.ts';
import { type ColourModelOptions, writeColourModel } from '../fixtures/colour-model.ts';
import { createService, findModel, toPlainRaster, untilLater } from '../fixtures/inference.ts';
import { makeSingleImageGraph } from '../fixtures/single-image-graph.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

type Files = readonly (readonly [string, Buffer])[];

interface Broken {
  readonly name: string;
  readonly options?: ColourModelOptions;
  /** Damages the version's folder. */
  readonly damage?: (dir: string) => void;
  /** What the operator reads in /health: the file and the reason. */
  readonly reason: RegExp;
}

/** Changes one file of a graph model and updates its hash, so that only the content is wrong. */
function changeGraph(file: string, change: (bytes: Buffer) => Buffer): ColourModelOptions {
  const files: Files = makeSingleImageGraph().map(([name, bytes]) => [name, name === file ? change(bytes) : bytes]);
  return { files, manifest: { format: 'tfjs-graph', golden: [] } };
}

const replaceText = (from: string, to: string) => (bytes: Buffer) =>
  Buffer.from(bytes.toString('utf8').replaceAll(from, to));

const savedModel: ColourModelOptions = {
  files: [['saved_model.pb', Buffer.from([0x08, 0x01, 0x12, 0xff, 0xff])]],
  manifest: { format: 'tf-savedmodel', golden: [] },
};

const faults: readonly Broken[] = [
  {
    name: 'a_missing_shard',
    damage: (dir) => {
      rmSync(path.join(dir, 'weights.bin'));
    },
    reason: /weights\.bin: can't be read: ENOENT/,
  },
  {
    name: 'a_wrong_hash',
    damage: (dir) => {
      writeFileSync(path.join(dir, 'model.json'), `${readFileSync(path.join(dir, 'model.json'), 'utf8')} `);
    },
    reason: /model\.json: its hash is sha256-/,
  },
  {
    name: 'a_file_of_2_gigabytes',
    damage: (dir) => {
      truncateSync(path.join(dir, 'weights.bin'), 2 ** 31 + 1);
    },
    reason: /weights\.bin: can't be read: .*(2 GiB|2147483647|too large)/i,
  },
  {
    name: 'weights_that_do_not_match_the_topology',
    options: changeGraph('weights.bin', (bytes) => bytes.subarray(0, 100)),
    reason: /^model\.json: .*(weights|tensor|shape|length)/i,
  },
  {
    name: 'weights_that_are_no_numbers',
    options: changeGraph('weights.bin', (bytes) =>
      Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(bytes.length - 8, 0xff)]),
    ),
    reason: /^model\.json: a score is not a number/,
  },
  {
    name: 'an_unknown_operation',
    options: changeGraph('model.json', replaceText('MatMul', 'MatMulOfMine')),
    reason: /^model\.json: .*MatMulOfMine/,
  },
  {
    name: 'a_topology_that_is_no_json',
    options: changeGraph('model.json', (bytes) => bytes.subarray(0, 50)),
    reason: /^model\.json: .*JSON/,
  },
  { name: 'a_truncated_saved_model', options: savedModel, reason: /^saved_model\.pb: / },
  {
    name: 'the_wrong_number_of_labels',
    options: { manifest: { output: { kind: 'multi-label', labels: ['red'] }, golden: [] }, policy: {} },
    reason: /^model\.json: the model answers .* the manifest names 1 labels/,
  },
];

for (const { name, options, damage, reason } of faults) {
  test(`${name}_is_one_clear_reason_and_another_model_keeps_serving`, async (context) => {
    const dir = makeTempDir(context);
    const folder = await writeColourModel(dir, { name: 'broken', ...options });
    damage?.(folder);
    await writeColourModel(dir);
    const service = createService({ engine: 'tensorflow' });
    const broken = findModel(dir, 'broken');
    await assert.rejects(
      service.load(broken),
      (thrown) => thrown instanceof ServiceError && thrown.code === 'ERR_MODEL_UNAVAILABLE',
    );
    const { state, reason: told = '' } = service.toSnapshot(broken);
    assert.equal(state, 'failed');
    assert.match(told, reason);
    assert.doesNotMatch(told, /\n/, 'one line');
    const good = findModel(dir, 'colour');
    const { scores } = await service.infer(good, toPlainRaster(good, [255, 0, 0]), untilLater());
    assert.ok(Math.abs((scores[0] ?? 0) - 1) < 1e-3);
  });
}
