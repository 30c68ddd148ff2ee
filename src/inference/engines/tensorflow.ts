import { rmSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import { threadId } from 'node:worker_threads';
import { getNativeLibrary, nativeFiles, toLoadMarker } from '../../native-library.ts';
import type { TensorFlowBinding } from './tensorflow-binding.ts';

/** tfjs-node's whole interface. */
export type TensorFlow = typeof import('@tensorflow/tfjs-node');

const require = createRequire(import.meta.url);

/**
 * Loads the native TensorFlow library by tfjs-node's binding alone, in this thread, which a compiled graph needs no more
 * than. All of tfjs-node takes 200 ms of CPU and 28 MB more. Call it after the process exists, never before a fork.
 * @throws Error where it isn't set up or doesn't load; the next call tries again
 */
export function loadBinding(): TensorFlowBinding {
  const folder = getNativeLibrary();
  const marker = toLoadMarker(folder, process.pid, threadId);
  try {
    writeFileSync(marker, '');
  } catch {
    // Another user's folder: what crashes here is found by the probe, which runs at every start there.
  }
  try {
    return require(path.join(folder, nativeFiles.binding)) as TensorFlowBinding;
  } finally {
    rmSync(marker, { force: true });
  }
}

/** Loads tfjs-node with the native TensorFlow library, in this thread. Call it after the process exists, never before a fork. */
export function loadTensorFlow(): TensorFlow {
  loadBinding();
  restoreRemovedUtil();
  const binding = path.join(getNativeLibrary(), nativeFiles.binding);
  // Not by import(), which remembers a failure for as long as the thread lives.
  return answerFinder(binding, () => require('@tensorflow/tfjs-node') as TensorFlow);
}

/** tfjs-node calls two functions of node:util, op by op: Node 23 removed one, and newer versions warn of the other. */
function restoreRemovedUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  legacy['isArray'] = Array.isArray;
}

const finderName = '@mapbox/node-pre-gyp';

/**
 * Answers in the place of node-pre-gyp, which tfjs-node asks for its binding while it loads: node-pre-gyp knows one place
 * inside node_modules, and is not a part of the packed package.
 */
function answerFinder<T>(binding: string, load: () => T): T {
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const original = loader._load;
  loader._load = function (request, ...rest) {
    return request === finderName ? { find: () => binding } : original.call(this, request, ...rest);
  };
  try {
    return load();
  } finally {
    loader._load = original;
  }
}
