import assert from 'node:assert/strict';
import test from 'node:test';
import { toTfjsWeights } from '../../src/inference/engines/keras/weight-names.ts';
import { toKeras3Layer, toKeras3Sequence } from '../fixtures/keras-files.ts';

test('weights_have_the_names_of_tfjs', () => {
  const inner = toKeras3Sequence('inner', [toKeras3Layer('DepthwiseConv2D', 'dw'), toKeras3Layer('Dropout', 'drop')]);
  const others = ['Bidirectional:bidi', 'Conv2D:block1/conv', 'Normalization:norm', 'Dense:d'].map((each) => {
    const [className = '', name = ''] = each.split(':');
    return toKeras3Layer(className, name);
  });
  const model = toKeras3Sequence('s', [inner, ...others]);
  const names = {
    's/inner/dw/kernel': 'dw/depthwise_kernel',
    'dw/bias': 'dw/bias',
    's/block1/conv/kernel': 'block1/conv/kernel',
    'bidi/forward_lstm/lstm_cell/kernel': 'bidi/forward_lstm/lstm_cell/kernel',
    'd/vars/0': 'd/0',
    'unknown/kernel': 'unknown/kernel',
  };
  const toSpec = (name: string) => ({ name, shape: [1], dtype: 'float32' as const });
  const specs = toTfjsWeights(Object.keys(names).map(toSpec), { model_config: model });
  assert.deepEqual(
    specs.map(({ name }) => name),
    Object.values(names),
  );
  const unused = ['norm/count', 's/inner/drop/seed_generator/seed_generator_state'];
  assert.deepEqual(
    toTfjsWeights(unused.map(toSpec), model).map(({ group }) => group),
    ['optimizer', 'optimizer'],
  );
});

test('weights_without_the_name_of_their_layer_get_it', () => {
  const layers = [
    toKeras3Layer('Conv2D', 'second', { use_bias: false }),
    toKeras3Layer('BatchNormalization', 'bn', { scale: false }),
    toKeras3Layer('Dense', 'first'),
  ];
  const model = toKeras3Sequence('s', layers);
  const toSpecs = (...names: string[]) => names.map((name) => ({ name, shape: [1], dtype: 'float32' as const }));
  const specs = toSpecs('beta', 'moving_mean', 'moving_variance', 'kernel', 'bias', 'kernel');
  assert.deepEqual(
    toTfjsWeights(specs, model).map(({ name }) => name),
    ['bn/beta', 'bn/moving_mean', 'bn/moving_variance', 'first/kernel', 'first/bias', 'second/kernel'],
  );
  const other = toSpecs('kernel', 'bias');
  assert.deepEqual(toTfjsWeights(other, model), other, 'what does not fit stays, and tfjs refuses it');
});
