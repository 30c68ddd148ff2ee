import path from 'node:path';
import type { BenchModel } from './contender.ts';

/** The benchmark's own folder: nothing is installed elsewhere. */
export const installedDir = path.join(import.meta.dirname, '.installed');

/** The peers' own Python, and the servers beside it. */
export const binDir = path.join(installedDir, 'python', 'bin');

/** The naive Node service with its packages. */
export const nodeDir = path.join(installedDir, 'node');

/** The models folder that image-check serves. */
export const modelsDir = path.join(installedDir, 'models');

/** The bench's models, and the version of each. */
export const benchModels: Readonly<Record<BenchModel, string>> = {
  'mobilenet-224': '1',
  'mobilenet-96': '1',
  quality: '2',
};

/** Where a model is in the forms that the peers load. */
export function toPeerForms(model: BenchModel): { graphModel: string; savedModel: string; onnx: string } {
  return {
    graphModel: path.join(installedDir, 'graph-models', model),
    savedModel: path.join(installedDir, 'saved-models', model),
    onnx: path.join(installedDir, 'onnx', `${model}.onnx`),
  };
}
