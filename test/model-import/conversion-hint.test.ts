import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { inspectModel } from '../../src/model-import/inspect.ts';
import { toConst, writeSavedModel } from '../fixtures/saved-model-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const kinds: [string, RegExp][] = [
  [
    'm.h5',
    /m\.h5: is a Keras file; run: python3 -c ".*load_model.*training=False.*write_out\(.*" \S+\/m\.h5 m-saved; then add m-saved$/,
  ],
  ['m.keras', /is a Keras file; run: python3 .* m-saved;/],
  ['m.weights.h5', /is weights without their network \(Keras\); run: .*load_weights\('.*\/m\.weights\.h5'\)/],
  ['m.tflite', /is a TensorFlow Lite model; run: python3 -m tf2onnx\.convert --tflite \S+m\.tflite .* && onnx2tf -i/],
  [
    'frozen_graph.pb',
    /is a frozen graph; run: tensorflowjs_converter --input_format=tf_frozen_model .*frozen_graph\.pb/,
  ],
  ['m.onnx', /is an ONNX model; run: onnx2tf -i \S+m\.onnx -o m-saved;/],
  ['m.pt', /is a PyTorch file; run: in Python: torch\.onnx\.export/],
  ['m.pth', /is a PyTorch file; run: /],
  ['m.safetensors', /is weights without their network \(safetensors\); run: optimum-cli export onnx/],
  ['checkpoint', /is a checkpoint: .*; run: .*model\.load_weights\(.*model\.export\('checkpoint-saved'\)/],
  ['cp-0001.ckpt.index', /is a checkpoint: .*load_weights\('\S+\/cp-0001\.ckpt'\)/],
  ['variables.data-00000-of-00001', /is a checkpoint: .*load_weights\('\S+\/variables'\)/],
  ['m.zip', /is an archive; run: mkdir m-saved && unzip \S+\/m\.zip -d m-saved; then add m-saved$/],
];

test('a_file_of_another_kind_is_told_with_the_command_that_converts_it', async (context) => {
  for (const [name, message] of kinds) {
    const dir = makeTempDir(context);
    writeFileSync(path.join(dir, name), 'x');
    const refused = (thrown: Error): boolean => {
      assert.match(thrown.message, message);
      assert.doesNotMatch(thrown.message, /\n/);
      return true;
    };
    await assert.rejects(inspectModel(path.join(dir, name)), refused, name);
    await assert.rejects(inspectModel(dir), refused, `${name} in its folder`);
  }
});

test('names_are_quoted_for_the_shell', async (context) => {
  const file = path.join(makeTempDir(context), "it's mine.onnx");
  writeFileSync(file, 'x');
  await assert.rejects(inspectModel(file), /onnx2tf -i '.*it'\\''s mine\.onnx' -o 'it'\\''s mine-saved'/);
});

test('of_a_folder_of_versions_the_highest_is_taken', async (context) => {
  const dir = makeTempDir(context);
  for (const version of ['2', '10', '9']) {
    writeSavedModel(path.join(dir, version), [[toConst('scores', [1, 2], [0, 1])]]);
  }
  // Not a model: an unfinished copy.
  mkdirSync(path.join(dir, '11'));
  const found = await inspectModel(dir);
  assert.equal(found.format, 'tf-savedmodel');
  assert.equal(found.files[0]?.path, path.join(dir, '10', 'saved_model.pb'));
});

test('a_folder_of_empty_versions_is_no_model', async (context) => {
  const dir = makeTempDir(context);
  mkdirSync(path.join(dir, '1'));
  await assert.rejects(inspectModel(dir), /holds neither a model\.json .* nor a saved_model\.pb/);
});
