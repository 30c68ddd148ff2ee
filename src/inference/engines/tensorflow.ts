import util from 'node:util';

/** tfjs-node's whole interface. */
export type TensorFlow = typeof import('@tensorflow/tfjs-node');

/**
 * Loads tfjs-node with the native TensorFlow library, in this thread; the only place that does.
 * Call it after the process exists, never before a fork.
 */
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
