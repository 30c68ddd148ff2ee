import { createRequire } from 'node:module';
import util from 'node:util';
import type { TensorFlowBinding } from './tensorflow-binding.ts';

/** tfjs-node's whole interface. */
export type TensorFlow = typeof import('@tensorflow/tfjs-node');

/**
 * Loads the native TensorFlow library by tfjs-node's binding alone, in this thread, which a compiled graph needs no more
 * than. All of tfjs-node takes 200 ms of CPU and 28 MB more. Call it after the process exists, never before a fork.
 */
export function loadBinding(): TensorFlowBinding {
  const require = createRequire(import.meta.url);
  return require('@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node') as TensorFlowBinding;
}

/** Loads tfjs-node with the native TensorFlow library, in this thread. Call it after the process exists, never before a fork. */
export async function loadTensorFlow(): Promise<TensorFlow> {
  restoreRemovedUtil();
  const imported = (await import('@tensorflow/tfjs-node')) as TensorFlow & { default?: TensorFlow };
  return imported.default ?? imported;
}

/** tfjs-node calls two functions of node:util, op by op, that Node 23 removed. */
function restoreRemovedUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
}
