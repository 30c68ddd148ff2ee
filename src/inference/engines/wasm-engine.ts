import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { loadTfjsModel } from './tfjs-model.ts';

/** Starts the WebAssembly engine, which needs no native code and runs tfjs formats only. */
export async function createWasmEngine(): Promise<Engine> {
  // One worker per CPU already saturates the machine.
  setThreadsCount(1);
  await tf.setBackend('wasm');
  return {
    name: 'wasm',
    tensorflowVersion: undefined,
    loadModel(model, files) {
      switch (model.manifest.format) {
        case 'tf-savedmodel':
          throw new Error('a tf-savedmodel needs tensorflow');
        case 'tfjs-graph':
        case 'tfjs-layers':
          return loadTfjsModel(model, files);
      }
    },
  };
}
