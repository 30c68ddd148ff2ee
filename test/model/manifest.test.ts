import assert from 'node:assert/strict';
import test from 'node:test';
import { toManifest } from '../../src/model/manifest.ts';

const valid = {
  format: 'tfjs-layers',
  input: { width: 8, height: 8, resize: 'cover' },
  output: { kind: 'multi-label', labels: ['a', 'b'] },
  files: { 'model.json': `sha256-${'A'.repeat(43)}=` },
};

function read(change: Readonly<Record<string, unknown>>): () => unknown {
  return () => toManifest(JSON.stringify({ ...valid, ...change }));
}

test('what_is_left_out_takes_its_default', () => {
  const { input, output, policy, golden } = toManifest(JSON.stringify(valid));
  assert.deepEqual(input.normalise, { scale: 1, offset: 0 });
  assert.deepEqual([input.colour, input.signature, input.tags], ['rgb', 'serving_default', ['serve']]);
  assert.deepEqual([output.activation, policy, golden], ['none', {}, []]);
});

test('scale_and_offset_may_differ_by_channel', () => {
  const normalise = { scale: [1, 2, 3], offset: [0, -1, 1] };
  assert.deepEqual(
    toManifest(JSON.stringify({ ...valid, input: { ...valid.input, normalise } })).input.normalise,
    normalise,
  );
});

test('each_resize_mode_is_known_by_its_name', () => {
  for (const resize of ['cover', 'contain', 'stretch', 'long-side']) {
    const manifest = toManifest(JSON.stringify({ ...valid, input: { ...valid.input, resize } }));
    assert.equal(manifest.input.resize, resize);
  }
  assert.throws(read({ input: { ...valid.input, resize: 'longSide' } }), /input\.resize: /);
});

test('a_kernel_that_samples_has_coordinates', () => {
  const { input } = toManifest(JSON.stringify(valid));
  assert.deepEqual([input.kernel, input.coordinates], ['lanczos', 'half-pixel']);
  for (const kernel of ['bilinear', 'bicubic', 'nearest']) {
    for (const coordinates of ['half-pixel', 'align-corners', 'asymmetric']) {
      const manifest = toManifest(JSON.stringify({ ...valid, input: { ...valid.input, kernel, coordinates } }));
      assert.deepEqual([manifest.input.kernel, manifest.input.coordinates], [kernel, coordinates]);
    }
  }
  assert.throws(read({ input: { ...valid.input, kernel: 'cubic' } }), /input\.kernel: /);
  assert.throws(read({ input: { ...valid.input, kernel: 'nearest', coordinates: 'corners' } }), /input\.coordinates: /);
  assert.throws(
    read({ input: { ...valid.input, coordinates: 'align-corners' } }),
    /input\.coordinates: is for the kernels bilinear, bicubic and nearest/,
  );
  assert.throws(
    read({ input: { ...valid.input, jpegDct: 'fast' } }),
    /input\.jpegDct: is fast only with the kernels bilinear, bicubic and nearest/,
  );
});

test('grey_is_normalised_by_one_number', () => {
  const grey = { ...valid.input, colour: 'grey' };
  const manifest = toManifest(JSON.stringify({ ...valid, input: { ...grey, normalise: { scale: 2, offset: -1 } } }));
  assert.equal(manifest.input.colour, 'grey');
  for (const normalise of [
    { scale: [1, 2, 3], offset: 0 },
    { scale: 1, offset: [0, 0, 0] },
  ]) {
    assert.throws(read({ input: { ...grey, normalise } }), /input\.normalise: is one number each/);
  }
  assert.throws(read({ input: { ...valid.input, colour: 'gray' } }), /input\.colour: /);
});

test('every_fault_names_its_place', () => {
  assert.throws(read({ format: 'onnx' }), /format: /);
  assert.throws(read({ input: { ...valid.input, width: 0 } }), /input\.width: /);
  assert.throws(
    read({ input: { ...valid.input, normalise: { scale: [1, 2], offset: 0 } } }),
    /input\.normalise\.scale/,
  );
  assert.throws(read({ output: { ...valid.output, labels: ['a', 'a'] } }), /output\.labels: names a label twice/);
  assert.throws(read({ policy: { c: { review: 0.5 } } }), /policy\.c: is not among output\.labels/);
  assert.throws(read({ policy: { a: { review: 2 } } }), /policy\.a\.review: /);
  assert.throws(read({ golden: [{ image: 'g.png', scores: [1] }] }), /golden\.0\.scores: has 1 scores for 2 labels/);
  assert.throws(read({ files: { 'model.json': 'md5-x' } }), /files\.model\.json: must be sha256-<base64>/);
  assert.throws(read({ surprise: 1 }), /surprise/);
});

test('policies_are_further_sets_of_thresholds_of_the_same_labels', () => {
  const policies = { strict: { a: { review: 0.1 } }, lenient: {} };
  const readPolicies = (named: object): (() => unknown) => read({ policies: named });
  assert.deepEqual(toManifest(JSON.stringify({ ...valid, policies })).policies, policies);
  assert.equal(toManifest(JSON.stringify(valid)).policies, undefined);
  assert.throws(readPolicies({ strict: { c: {} } }), /policies\.strict\.c: is not among output\.labels/);
  assert.throws(readPolicies({ strict: { a: { review: 1.5 } } }), /policies\.strict\.a\.review: /);
  assert.throws(readPolicies({ strict: { a: { accept: 0.1 } } }), /accept/);
  assert.throws(readPolicies({ default: {} }), /policies\.default: is written as policy/);
});

test('the_smallest_side_of_a_picture_is_a_number_of_pixels', () => {
  const readSide = (minSide: unknown): (() => unknown) => read({ input: { ...valid.input, minSide } });
  assert.doesNotThrow(readSide(1));
  for (const wrong of [0, -1, 1.5, '8']) assert.throws(readSide(wrong), /input\.minSide: /);
});

test('a_map_is_a_second_output_and_its_size_in_cells', () => {
  const map = { tensor: '1', width: 20, height: 15 };
  const output = { ...valid.output, tensor: '0', map };
  assert.deepEqual(toManifest(JSON.stringify({ ...valid, output })).output.map, map);
  assert.equal(toManifest(JSON.stringify(valid)).output.map, undefined);
  const readMap = (change: object): (() => unknown) => read({ output: { ...output, map: { ...map, ...change } } });
  assert.throws(readMap({ width: 0 }), /output\.map\.width: /);
  assert.throws(readMap({ height: 1.5 }), /output\.map\.height: /);
  assert.throws(readMap({ tensor: undefined }), /output\.map\.tensor: /);
  assert.throws(readMap({ tensor: '0' }), /output\.map\.tensor: is that of the scores/);
  assert.throws(readMap({ columns: 20 }), /columns/);
});

test('a_path_out_of_the_folder_is_refused', () => {
  const hash = `sha256-${'A'.repeat(43)}=`;
  for (const name of ['../other/model.json', '/etc/passwd', 'a/../../b', '..']) {
    assert.throws(read({ files: { [name]: hash } }), Error, name);
    assert.throws(read({ golden: [{ image: name, scores: [1, 0] }] }), /must be a path inside the folder/, name);
  }
});

test('broken_json_is_reported', () => {
  assert.throws(() => toManifest('{"format":'), /JSON/);
});
