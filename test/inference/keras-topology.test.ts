import assert from 'node:assert/strict';
import test from 'node:test';
import { hasLayer } from '../../src/inference/engines/keras/own-layers.ts';
import { toTfjsTopology } from '../../src/inference/engines/keras/topology.ts';
import {
  toKeras3Input,
  toKeras3Layer,
  toKeras3Model,
  toKeras3Sequence,
  toKeras3Tensor,
  toOpLambda,
} from '../fixtures/keras-files.ts';

type Json = Record<string, unknown>;

interface Rewritten {
  readonly class_name: string;
  readonly name: string;
  readonly config: Json & { layers?: Rewritten[]; input_layers?: unknown; output_layers?: unknown };
  readonly inbound_nodes?: unknown;
}

function rewrite(model: Json, version = '3.5.0'): Rewritten {
  const topology = toTfjsTopology({ keras_version: version, model_config: model }, hasLayer);
  // What is shared with the input must not matter.
  return JSON.parse(JSON.stringify(topology)) as Rewritten;
}

function rewriteLayers(model: Json, version?: string): Rewritten[] {
  return rewrite(model, version).config.layers ?? [];
}

/** One layer behind an input, rewritten. */
function rewriteOne(layer: Json, version?: string): Rewritten {
  const [, second] = rewriteLayers(toKeras3Sequence('s', [toKeras3Input('in', [8, 8, 3]), layer]), version);
  assert.ok(second);
  return second;
}

/** Operations behind an input, in a graph of Keras 2. */
function toGraph(...layers: Json[]): Json {
  const input = { class_name: 'InputLayer', name: 'in', config: { batch_input_shape: [null, 8, 8, 3], name: 'in' } };
  return toKeras3Model('m', [{ ...input, inbound_nodes: [] }, ...layers]);
}

const dense = (name: string, config: Json = {}): Json => toKeras3Layer('Dense', name, { units: 2, ...config });

test('a_keras_3_sequence_reads_as_one_of_tfjs', () => {
  const kernel = { class_name: 'GlorotUniform', config: { seed: null }, module: 'keras.initializers' };
  const l2 = { class_name: 'L2', config: { l2: 0.01 }, module: 'keras.regularizers' };
  const last = dense('d', { kernel_initializer: kernel, kernel_regularizer: l2, activation: 'silu' });
  const model = rewrite(toKeras3Sequence('s', [toKeras3Input('in', [8, 8, 3], 'uint8'), last]));
  assert.equal(model.class_name, 'Sequential');
  assert.deepEqual(model.config.layers, [
    {
      class_name: 'InputLayer',
      name: 'in',
      config: { batch_input_shape: [null, 8, 8, 3], dtype: 'int32', sparse: false, ragged: false, name: 'in' },
    },
    {
      class_name: 'Dense',
      name: 'd',
      config: { name: 'd', trainable: true, dtype: 'float32', units: 2, activation: 'swish' },
    },
  ]);
});

test('a_sequence_without_an_input_layer_has_the_shape_that_it_was_built_for', () => {
  const first = { ...dense('d'), build_config: { input_shape: [null, 12] } };
  const [layer] = rewriteLayers(toKeras3Sequence('s', [first, dense('e')]));
  assert.deepEqual(layer?.config['batch_input_shape'], [null, 12]);
});

test('new_inbound_nodes_become_lists', () => {
  const merged = toKeras3Layer('Add', 'sum', {}, [[toKeras3Tensor('a'), toKeras3Tensor('in')]]);
  const a = {
    ...dense('a'),
    inbound_nodes: [{ args: [toKeras3Tensor('in')], kwargs: { mask: null, training: false } }],
  };
  const ends = { input_layers: ['in', 0, 0], output_layers: { scores: ['sum', 0, 0] } };
  const model = rewrite(toKeras3Model('m', [toKeras3Input('in', [2]), a, merged], ends));
  const [input, first, second] = model.config.layers ?? [];
  assert.deepEqual(input?.inbound_nodes, []);
  assert.deepEqual(first?.inbound_nodes, [[['in', 0, 0, {}]]]);
  assert.deepEqual(second?.inbound_nodes, [
    [
      ['a', 0, 0, {}],
      ['in', 0, 0, {}],
    ],
  ]);
  assert.deepEqual(model.config.input_layers, [['in', 0, 0]]);
  assert.deepEqual(model.config.output_layers, [['sum', 0, 0]]);
});

test('calls_of_networks_inside_are_counted_as_tfjs_does', () => {
  const inner = (className: string): Json => ({
    ...toKeras3Model('inner', [toKeras3Input('i', [2]), { ...dense('d', { units: 2 }), ...calledOn('i') }]),
    class_name: className,
    ...calledOn('in'),
  });
  for (const [className, end] of [
    ['Functional', 1],
    ['Sequential', 0],
  ] as const) {
    const last = { ...dense('last'), ...calledOn('inner') };
    const middle = rewrite(toKeras3Model('m', [toKeras3Input('in', [2]), inner(className), last]));
    assert.deepEqual(middle.config.layers?.[2]?.inbound_nodes, [[['inner', 1, 0, {}]]], className);
    const ends = { output_layers: [['inner', end, 0]] };
    const outer = rewrite(toKeras3Model('m', [toKeras3Input('in', [2]), inner(className)], ends));
    assert.deepEqual(outer.config.output_layers, [['inner', 1, 0]], className);
  }
});

function calledOn(...names: string[]): Json {
  return { inbound_nodes: names.map((name) => ({ args: [toKeras3Tensor(name)], kwargs: {} })) };
}

test('a_network_that_is_called_twice_keeps_its_calls_apart', () => {
  const inner = {
    ...toKeras3Model('inner', [toKeras3Input('i', [2]), { ...dense('d'), ...calledOn('i') }]),
    ...calledOn('in', 'other'),
  };
  const sum = toKeras3Layer('Add', 'sum', {}, [[toKeras3Tensor('inner', 0), toKeras3Tensor('inner', 1)]]);
  const inputs = {
    input_layers: [
      ['in', 0, 0],
      ['other', 0, 0],
    ],
  };
  const [, , , last] = rewriteLayers(
    toKeras3Model('m', [toKeras3Input('in', [2]), toKeras3Input('other', [2]), inner, sum], inputs),
  );
  assert.deepEqual(last?.inbound_nodes, [
    [
      ['inner', 1, 0, {}],
      ['inner', 2, 0, {}],
    ],
  ]);
});

test('what_is_only_for_training_passes_the_picture_on', () => {
  for (const className of ['RandomFlip', 'RandomRotation', 'RandomZoom', 'Dropout', 'GaussianNoise', 'Identity']) {
    const { class_name: served, config } = rewriteOne(toKeras3Layer(className, 'x', { factor: 0.2 }));
    assert.deepEqual([served, config['activation']], ['Activation', 'linear'], className);
  }
});

test('augmentation_in_a_network_of_its_own_passes_the_picture_on', () => {
  const augment = {
    ...toKeras3Sequence('augment', [toKeras3Input('i', [8, 8, 3]), toKeras3Layer('RandomFlip', 'f')]),
    ...calledOn('in'),
  };
  const model = toKeras3Model('m', [
    toKeras3Input('in', [8, 8, 3]),
    augment,
    { ...dense('d'), ...calledOn('augment') },
  ]);
  const [, second, third] = rewriteLayers(model);
  assert.equal(second?.class_name, 'Activation');
  assert.deepEqual(third?.inbound_nodes, [[['augment', 0, 0, {}]]]);
});

test('arithmetic_with_numbers_becomes_a_scaling', () => {
  const lambdas = rewriteLayers(
    toGraph(
      toOpLambda('half', 'math.truediv', 'in', { y: 127.5, name: null }),
      toOpLambda('less', 'math.subtract', 'half', { y: [1, 2, 3], name: null }),
      toOpLambda('more', '__operators__.add', 'less', { y: 3, name: null }),
      toOpLambda('most', 'math.multiply', 'more', { y: ['less', 0, 0], name: null }),
    ),
    '2.15.0',
  );
  assert.deepEqual(
    lambdas.slice(1).map(({ class_name: served, config }) => [served, config['scale'], config['offset']]),
    [
      ['Rescaling', 1 / 127.5, 0],
      ['Rescaling', 1, [-1, -2, -3]],
      ['Rescaling', 1, 3],
      ['Multiply', undefined, undefined],
    ],
  );
  assert.deepEqual(lambdas.at(-1)?.inbound_nodes, [
    [
      ['more', 0, 0, {}],
      ['less', 0, 0, {}],
    ],
  ]);
});

test('operations_of_keras_3_are_not_taken_for_layers', () => {
  const operation = (className: string, ...args: unknown[]): Json => ({
    ...toKeras3Layer(className, 'op', {}, args),
    module: 'keras.src.ops.numpy',
  });
  const numpy = { class_name: '__numpy__', config: { value: [1, 2, 3], dtype: 'float32' } };
  const cases: [Json, unknown[]][] = [
    [operation('TrueDivide', toKeras3Tensor('in'), 255), ['Rescaling', 1 / 255, 0]],
    [operation('Subtract', 1, toKeras3Tensor('in')), ['Rescaling', -1, 1]],
    [operation('Add', toKeras3Tensor('in'), numpy), ['Rescaling', 1, [1, 2, 3]]],
    [operation('Add', toKeras3Tensor('in'), toKeras3Tensor('in')), ['Add', undefined, undefined]],
  ];
  for (const [layer, expected] of cases) {
    // Files that go by HDF5 leave the module out, and an operation has nothing but its name.
    for (const written of [layer, { ...layer, module: undefined, config: { name: 'op' } }]) {
      const [, op] = rewriteLayers(toKeras3Model('m', [toKeras3Input('in', [8, 8, 3]), written]));
      assert.deepEqual([op?.class_name, op?.config['scale'], op?.config['offset']], expected);
    }
  }
});

test('a_layer_that_tfjs_cannot_compute_is_named_with_the_way_out', () => {
  const cases: [Json, RegExp][] = [
    [toKeras3Layer('Lambda', 'odd', {}), /the layer odd \(Lambda\) is not known to TensorFlow\.js/],
    [toKeras3Layer('CenterCrop', 'odd', {}), /the layer odd \(CenterCrop\) crops/],
    [toKeras3Layer('RandomCrop', 'odd', {}), /the layer odd \(RandomCrop\) is not known/],
    [toKeras3Layer('RandomFourierFeatures', 'odd', {}), /\(RandomFourierFeatures\) is not known/],
    // A class of initialisers has its name.
    [toKeras3Layer('Zeros', 'odd', {}), /the layer odd \(Zeros\) is not known/],
    [toKeras3Layer('Conv2D', 'odd', { groups: 2 }), /the layer odd \(Conv2D\) has 2 groups/],
    [dense('odd', { activation: 'sparsemax' }), /the layer odd \(Dense\) has the activation sparsemax/],
    [dense('odd', { activation: toKeras3Layer('LeakyReLU', 'l') }), /has a layer for its activation/],
    [
      dense('odd', { dtype: { class_name: 'QuantizedDTypePolicy', config: { name: 'int8_from_float32' } } }),
      /quantised/,
    ],
    [toKeras3Layer('ReLU', 'odd', { threshold: 1 }), /\(ReLU\) has a threshold/],
    [toKeras3Layer('Resizing', 'odd', { interpolation: 'lanczos3' }), /resizes by lanczos3/],
    [toKeras3Layer('Normalization', 'odd', { axis: 1 }), /does not normalise by channel/],
  ];
  for (const [layer, message] of cases) {
    assert.throws(
      () => rewriteOne(layer),
      (thrown: Error) => {
        assert.match(thrown.message, message);
        assert.match(thrown.message, /; export a SavedModel: in Python model\.export\('saved'\)/);
        return true;
      },
    );
  }
  assert.throws(
    () => rewrite(toGraph(toOpLambda('tf.reshape', 'reshape', 'in', { shape: [-1, 3] })), '2.15.0'),
    /the layer tf\.reshape \(TFOpLambda\) is the operation reshape, .*; export a SavedModel/,
  );
  assert.throws(
    () => rewrite(toGraph(toOpLambda('inverse', 'math.truediv', '_CONSTANT_VALUE', { y: ['in', 0, 0] })), '2.15.0'),
    /inverse/,
  );
});

test('the_hard_sigmoid_is_that_of_the_version', () => {
  const layer = dense('d', { activation: 'hard_sigmoid' });
  assert.equal(rewriteOne(layer).config['activation'], 'kerasHardSigmoid');
  const old = { class_name: 'Sequential', config: { name: 's', layers: [layer] } };
  assert.equal(rewriteLayers(old, '2.15.0')[0]?.config['activation'], 'hard_sigmoid');
});

test('terms_that_have_other_names_in_tfjs_are_renamed', () => {
  assert.equal(rewriteOne(toKeras3Layer('LeakyReLU', 'l', { negative_slope: 0.1 })).config['alpha'], 0.1);
  assert.equal(rewriteOne(toKeras3Layer('ReLU', 'l', { negative_slope: 0.1 })).class_name, 'LeakyReLU');
  assert.equal(rewriteOne(toKeras3Layer('BatchNormalization', 'b', { axis: [3] })).config['axis'], 3);
  const kept = rewriteOne(toKeras3Layer('GlobalAveragePooling2D', 'p', { keepdims: true }));
  assert.deepEqual([kept.class_name, kept.config['kind']], ['KerasKeptPooling', 'average']);
});

test('a_layer_whose_input_never_comes_is_named', { timeout: 20_000 }, () => {
  const input = toKeras3Input('in', [2]);
  const missing = toKeras3Model('m', [input, { ...dense('a'), ...calledOn('gone') }]);
  assert.throws(() => rewrite(missing), /the layer gone is named as an input or output, but it is not there/);
  const circle = toKeras3Model('m', [input, { ...dense('a'), ...calledOn('b') }, { ...dense('b'), ...calledOn('a') }]);
  assert.throws(() => rewrite(circle), /the layer a never gets its input/);
});

test('a_topology_of_tfjs_stays_as_it_is', () => {
  const layers = [
    {
      class_name: 'InputLayer',
      name: 'in',
      config: { batch_input_shape: [null, 2], dtype: 'float32', name: 'in' },
      inbound_nodes: [],
    },
    {
      class_name: 'Dense',
      name: 'd',
      config: { name: 'd', units: 2, activation: 'hard_sigmoid' },
      inbound_nodes: [[['in', 0, 0, {}]]],
    },
  ];
  const config = { name: 'm', layers, input_layers: [['in', 0, 0]], output_layers: [['d', 0, 0]] };
  const topology = { class_name: 'Model', config, keras_version: 'tfjs-layers 4.22.0' };
  const model = toTfjsTopology(topology, hasLayer) as unknown as Rewritten;
  assert.deepEqual(model.config, config);
});
