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
 * Loads the native TensorFlow library through tfjs-node's binding in this thread, which is enough for compiled graphs: the
 * rest of tfjs-node takes another 200 ms of CPU and 28 MB. TensorFlow must not be loaded before a fork.
 * @throws Error if it isn't set up or fails to load; the next call retries
 */
export function loadBinding(): TensorFlowBinding {
  const folder = getNativeLibrary();
  const marker = toLoadMarker(folder, process.pid, threadId);
  try {
    writeFileSync(marker, '');
  } catch {
    // Another user's folder. There the probe runs at every start, and finds a library that crashes.
  }
  try {
    return require(path.join(folder, nativeFiles.binding)) as TensorFlowBinding;
  } finally {
    rmSync(marker, { force: true });
  }
}

/** Loads tfjs-node with the native TensorFlow library in this thread; never before a fork. */
export function loadTensorFlow(): TensorFlow {
  loadBinding();
  restoreRemovedUtil();
  const binding = path.join(getNativeLibrary(), nativeFiles.binding);
  // Not by import(), which caches a failure for the life of the thread.
  return answerFinder(binding, () => require('@tensorflow/tfjs-node') as TensorFlow);
}

/** tfjs-node calls two functions of node:util for every operation: Node 23 removed one and deprecates the other. */
function restoreRemovedUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  legacy['isArray'] = Array.isArray;
}

const finderName = '@mapbox/node-pre-gyp';

/**
 * Stands in for node-pre-gyp, which tfjs-node uses to locate its binding: node-pre-gyp only looks inside node_modules, and the
 * packed package does not contain it.
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
