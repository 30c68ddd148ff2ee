import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../child-run.ts';
import { writeSavedMobileNet } from '../saved-mobilenet.ts';
import { python } from './python-packages.ts';

/** The model of all ways. */
export const modelName = 'mobilenet';

/** The models folder that it is in. */
export const modelsDir = path.join(import.meta.dirname, '.models');

/** What Python loads. */
export const savedModelDir = path.join(modelsDir, modelName, '1');

/** Exports the model from Keras where that has not been done. @throws where it fails */
export function exportModel(): void {
  if (existsSync(path.join(savedModelDir, 'manifest.json'))) return;
  console.log('exporting the model …');
  rmSync(savedModelDir, { recursive: true, force: true });
  writeSavedMobileNet(python, modelsDir, modelName, { size: 224, width: 1 });
}

/** Compiles the model for this service where that has not been done. @throws where it can't be served here */
export async function compileModel(): Promise<void> {
  const launcher = path.join(import.meta.dirname, '..', '..', 'src', 'launcher.mjs');
  await runToEnd(process.execPath, [launcher, 'models', 'compile', modelName, '--models', modelsDir]);
}
