// Writes a layers model of a folder once more as a graph model.
import { loadTensorFlow } from '../src/inference/engines/tensorflow.ts';
import { writeGraphModel } from './graph-model.ts';

const [modelsDir = '', from = '', name = ''] = process.argv.slice(2);
const tf = loadTensorFlow();
await tf.setBackend('tensorflow');
await writeGraphModel(tf, modelsDir, from, name);
process.send?.('converted', () => {
  process.disconnect();
});
