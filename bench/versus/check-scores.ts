// Do all contenders say the same of the same pictures? node --import ./test/typescript.mjs bench/versus/check-scores.ts
// --photos FOLDER [--model NAME] [--only NAME]
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { findVersion, loadModelStore } from '../../src/model/model-store.ts';
import type { BenchModel, Contender } from '../peers/contender.ts';
import { contenders, imageCheck } from '../peers/contenders.ts';
import { installPeers } from '../peers/install.ts';
import { benchModels, modelsDir } from '../peers/installed.ts';
import { writePictures } from '../peers/pictures.ts';
import { toMedian } from '../statistics.ts';
import { gatherScores, toDifferences } from './scenarios/scores.ts';
import { startServer } from './server.ts';
import { workerCount } from './stage.ts';

/** How far a contender's scores are from image-check's, over all pictures of one size. */
export interface ScoreDifference {
  readonly contender: string;
  readonly model: BenchModel;
  /** Width × height, and the format. */
  readonly size: string;
  /** Over all labels of all pictures. */
  readonly largest: number;
  /** Over all pictures, of the label that differs most. */
  readonly median: number;
}

if (process.argv[1] === import.meta.filename) await main();

/** Starts each contender in turn and uploads the pictures to it. @throws where one gives no scores */
export async function compareScores(
  compared: readonly Contender[],
  files: readonly string[],
  model: BenchModel = 'mobilenet-224',
): Promise<ScoreDifference[]> {
  const expected = await judge(imageCheck, files, model);
  const sizes = await Promise.all(files.map(readSize));
  const found: ScoreDifference[] = [];
  for (const contender of compared) {
    if (contender === imageCheck || !contender.models.includes(model)) continue;
    const given = await judge(contender, files, model);
    const differences = expected.map((scores, index) =>
      Math.max(...toDifferences([scores], given.slice(index, index + 1))),
    );
    for (const size of new Set(sizes)) {
      const those = differences.filter((_, index) => sizes[index] === size);
      const { name } = contender;
      found.push({ contender: name, model, size, largest: Math.max(...those), median: toMedian(those) });
    }
  }
  return found;
}

/** Scores of a contender that runs for this alone. */
async function judge(contender: Contender, files: readonly string[], model: BenchModel) {
  const server = await startServer(contender, model, workerCount);
  try {
    return await gatherScores(server, files);
  } finally {
    await server.group.kill();
  }
}

async function readSize(file: string): Promise<string> {
  const { width, height, format } = await sharp(file).metadata();
  return `${String(width)}×${String(height)} ${format}`;
}

async function main(): Promise<void> {
  const options = { photos: { type: 'string' }, model: { type: 'string' }, only: { type: 'string' } } as const;
  const { photos, model, only } = parseArgs({ options }).values;
  if (photos === undefined) throw new Error('--photos FOLDER says which pictures are uploaded');
  await installPeers();
  const compared = contenders.filter(({ name }) => only === undefined || name === only);
  for (const each of Object.keys(benchModels) as BenchModel[]) {
    if (model === undefined || model === each) await report(photos, compared, each);
  }
}

async function report(photos: string, compared: readonly Contender[], model: BenchModel): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
  try {
    const found = findVersion(loadModelStore(modelsDir), model);
    if (found.kind === 'broken') throw new Error(found.reason);
    const files = await writePictures(photos, dir, 8, found.model.manifest.input);
    const differences = await compareScores(compared, files, model);
    const round = (value: number): string => value.toFixed(4);
    console.table(differences.map((row) => ({ ...row, largest: round(row.largest), median: round(row.median) })));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
