import { access, constants, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { WeightsManifestEntry } from '@tensorflow/tfjs-core/dist/io/types.js';
import { z } from 'zod';
import { exitCodes, ExitError, toMessage } from '../../errors.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import type { TrainableNetwork } from './trainable-network.ts';

const stateFile = 'checkpoint.json';
const stateSchema = z.object({
  /** What determines the result of the training. */
  identity: z.string(),
  rounds: z.int().min(1),
  weights: z.string(),
  specs: z.array(z.looseObject({ name: z.string() })),
});

type State = z.infer<typeof stateSchema>;

/** A training's progress on disk, from which an interrupted training resumes. */
export class Checkpoint {
  readonly #tf: TensorFlow;
  readonly #dir: string;
  readonly #identity: string;

  /** @param identity what determines the result; the progress of another training is refused */
  constructor(tf: TensorFlow, dir: string, identity: string) {
    this.#tf = tf;
    this.#dir = dir;
    this.#identity = identity;
  }

  /**
   * Checks before the training that its progress can be saved.
   * @throws {@link ExitError} 78 where the folder can't be written, or holds damaged progress or another training's.
   */
  async open(): Promise<void> {
    try {
      await mkdir(this.#dir, { recursive: true });
      await access(this.#dir, constants.W_OK);
    } catch (thrown) {
      throw new ExitError(exitCodes.configuration, `progress can't be saved: ${toMessage(thrown)}`, { cause: thrown });
    }
    await this.#read();
  }

  /** Reads the number of completed rounds. */
  async countRounds(): Promise<number> {
    return (await this.#read())?.rounds ?? 0;
  }

  /**
   * Restores the state after the last saved round; does nothing where there is none.
   * @throws {@link ExitError} 78 where the weights are damaged.
   */
  async restore(trainable: TrainableNetwork): Promise<void> {
    const state = await this.#read();
    if (!state) return;
    const tensors = await this.#loadTensors(state);
    await trainable.restore(
      state.specs.flatMap(({ name }) => (tensors[name] ? [{ name, tensor: tensors[name] }] : [])),
    );
    this.#tf.dispose(tensors);
  }

  /** Saves the state after some rounds, and only then deletes the previous one. */
  async save(trainable: TrainableNetwork, rounds: number): Promise<void> {
    const before = await this.#read();
    const saved = await trainable.save();
    const { data, specs } = await this.#tf.io.encodeWeights(saved);
    this.#tf.dispose(saved.map(({ tensor }) => tensor));
    const weights = `round-${String(rounds)}.bin`;
    await mkdir(this.#dir, { recursive: true });
    await writeFile(path.join(this.#dir, weights), new Uint8Array(data));
    const state = JSON.stringify({ identity: this.#identity, rounds, weights, specs });
    await writeFile(path.join(this.#dir, `${stateFile}.partial`), state);
    await rename(path.join(this.#dir, `${stateFile}.partial`), path.join(this.#dir, stateFile));
    if (before && before.weights !== weights) await rm(path.join(this.#dir, before.weights), { force: true });
  }

  /** Deletes the progress once the model is written. */
  async clear(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #loadTensors({ weights, specs }: State): Promise<NamedTensorMap> {
    const file = path.join(this.#dir, weights);
    try {
      const bytes = await readFile(file);
      const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      return this.#tf.io.decodeWeights(data, specs as unknown as WeightsManifestEntry[]);
    } catch (thrown) {
      throw toDamage(file, thrown);
    }
  }

  async #read(): Promise<State | undefined> {
    const state = await loadState(path.join(this.#dir, stateFile));
    if (!state || state.identity === this.#identity) return state;
    const message = `${this.#dir} holds the progress of another training: delete it or choose another --out`;
    throw new ExitError(exitCodes.configuration, message);
  }
}

async function loadState(file: string): Promise<State | undefined> {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(faults.join('; '));
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw toDamage(file, thrown);
  }
}

function toDamage(file: string, cause: unknown): ExitError {
  const message = `the progress of a training is damaged: ${file}: ${toMessage(cause)}; delete its folder to start over`;
  return new ExitError(exitCodes.configuration, message, { cause });
}
