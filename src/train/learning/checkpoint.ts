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
  /** What the training was asked for. */
  identity: z.string(),
  rounds: z.int().min(1),
  weights: z.string(),
  specs: z.array(z.looseObject({ name: z.string() })),
});

type State = z.infer<typeof stateSchema>;

/** A training's progress on disk: a training that was stopped goes on from there. */
export class Checkpoint {
  readonly #tf: TensorFlow;
  readonly #dir: string;
  readonly #identity: string;

  /** @param identity what decides the result; the progress of another training is refused */
  constructor(tf: TensorFlow, dir: string, identity: string) {
    this.#tf = tf;
    this.#dir = dir;
    this.#identity = identity;
  }

  /**
   * Makes sure of a place for the progress before anything is learnt.
   * @throws {@link ExitError} 78 where it can't be written, is damaged, or another training's.
   */
  async open(): Promise<void> {
    try {
      await mkdir(this.#dir, { recursive: true });
      await access(this.#dir, constants.W_OK);
    } catch (thrown) {
      throw new ExitError(exitCodes.configuration, `progress can't be kept: ${toMessage(thrown)}`, { cause: thrown });
    }
    await this.#read();
  }

  /** How many rounds are done. */
  async countRounds(): Promise<number> {
    return (await this.#read())?.rounds ?? 0;
  }

  /**
   * Brings a network to where the last round left it; nothing where there was none.
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

  /** Keeps what a network knows after some rounds; what was kept before goes when this is whole. */
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

  /** Forgets it all: the model is written. */
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
    const message = `${this.#dir} holds the progress of another training; delete it, or write to another folder`;
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
  const message = `the progress of a training is damaged: ${file}: ${toMessage(cause)}; delete its folder to begin anew`;
  return new ExitError(exitCodes.configuration, message, { cause });
}
