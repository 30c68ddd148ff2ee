import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { exitCodes, ExitError, toMessage } from '../../errors.ts';
import { listPhotos } from '../samples/photos.ts';

const files = z.array(z.string()).default([]);

/** The part of `training.json` that names the photographs of the training and calibration sets. */
const training = z.looseObject({ learnt: files, calibrated: files });

/** Photographs that a model was neither trained nor calibrated on. */
export interface HeldOut {
  readonly files: readonly string[];
  /** Number of the folder's other photographs, which were used in training; undefined without a record. */
  readonly seen: number | undefined;
}

/**
 * Lists the photographs of a folder without those that `training.json` names as used for training or calibration.
 * @throws ExitError 78 where none is left, or something can't be read
 */
export async function findHeldOut(modelDir: string, photosDir: string): Promise<HeldOut> {
  const all = await listPhotos(photosDir);
  const known = await loadTraining(path.join(modelDir, 'training.json'));
  if (!known) return { files: all, seen: undefined };
  const seen = new Set([...known.learnt, ...known.calibrated]);
  const left = all.filter((file) => !seen.has(file));
  if (left.length > 0) return { files: left, seen: all.length - left.length };
  const message = `${modelDir} was trained on every photograph in ${photosDir}: none is left for its evaluation`;
  throw new ExitError(exitCodes.configuration, message);
}

async function loadTraining(file: string): Promise<z.infer<typeof training> | undefined> {
  try {
    return training.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    const message = `${file} can't be read: ${toMessage(thrown).replaceAll(/\s+/g, ' ')}`;
    throw new ExitError(exitCodes.configuration, message, { cause: thrown });
  }
}
