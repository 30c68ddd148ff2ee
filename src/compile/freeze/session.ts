import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import {
  getNodeBackend,
  type TensorElements,
  type TensorFlowBinding,
} from '../../inference/engines/tensorflow-binding.ts';
import { dataType } from '../graph/proto.ts';
import { toTensorKey } from '../graph/tensor-reference.ts';
import { FreezeRefusal } from './freeze-refusal.ts';

/** A tensor fetched from a session. */
export interface FetchedTensor {
  readonly dtype: number;
  readonly shape: readonly number[];
  /** Undefined for types not in `readableTypes`. */
  readonly data: TensorElements | undefined;
}

/** A SavedModel loaded by native TensorFlow. */
export interface Session {
  /** Fetches tensors that depend on no input. */
  readonly fetch: (tensors: readonly string[]) => FetchedTensor[];
}

/** Element types that tfjs-node can read. */
export const readableTypes: ReadonlySet<number> = new Set([
  dataType.float,
  dataType.int32,
  dataType.int64,
  dataType.bool,
  dataType.complex64,
]);

/**
 * Loads a SavedModel with one of its tag sets for the duration of `use`.
 * @param shownDir the folder named in errors
 * @throws FreezeRefusal if this version of TensorFlow lacks an operation
 */
export function useSession<T>(
  tf: TensorFlow,
  dir: string,
  tags: readonly string[],
  shownDir: string,
  use: (session: Session) => T,
): T {
  const { binding } = getNodeBackend(tf);
  let session: number | undefined;
  try {
    const id = binding.loadSavedModel(dir, tags.join(','));
    session = id;
    return use({ fetch: (tensors) => fetchTensors(binding, id, tensors) });
  } catch (error) {
    throw error instanceof FreezeRefusal ? error : toClearError(error, dir, shownDir);
  } finally {
    if (session !== undefined) binding.deleteSavedModel(session);
  }
}

function fetchTensors(binding: TensorFlowBinding, session: number, tensors: readonly string[]): FetchedTensor[] {
  const names = tensors.map(toTensorKey);
  const fetched = binding.runSavedModel(session, [], '', names.join(','));
  try {
    return fetched.map(({ id, shape, dtype }) => {
      const values = readableTypes.has(dtype) ? binding.tensorDataSync(id) : undefined;
      return { dtype, shape, data: Array.isArray(values) ? undefined : values };
    });
  } finally {
    for (const { id } of fetched) binding.deleteTensor(id);
  }
}

function toClearError(error: unknown, dir: string, shownDir: string): Error {
  const message = String(error instanceof Error ? error.message : error).replaceAll(dir, shownDir);
  const custom = /Op type not registered '([^']+)'/.exec(message)?.[1];
  if (custom !== undefined) return new FreezeRefusal(`TensorFlow has no operation ${custom}`);
  const unset = /Could not find variable (\S+)\./.exec(message)?.[1];
  const reason = unset === undefined ? message.split('\n')[0] : `it restores no value for the variable ${unset}`;
  return new Error(`${shownDir} can't be loaded: ${reason ?? ''}`, { cause: error });
}

/**
 * Creates a temporary folder with a SavedModel for the duration of `use`.
 * @param savedModel the bytes of its `saved_model.pb`
 * @param original folder of the SavedModel whose variables and assets it uses
 */
export function withSavedModel<T>(savedModel: Uint8Array, original: string | undefined, use: (dir: string) => T): T {
  const dir = mkdtempSync(path.join(tmpdir(), 'image-check-freeze-'));
  try {
    writeFileSync(path.join(dir, 'saved_model.pb'), savedModel);
    if (original !== undefined) {
      for (const each of ['variables', 'assets']) symlinkSync(path.resolve(original, each), path.join(dir, each));
    }
    return use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
