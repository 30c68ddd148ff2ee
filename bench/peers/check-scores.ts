// Do all contenders say the same of the same pictures? node --import ./test/typescript.mjs bench/peers/check-scores.ts
// --photos FOLDER [--model NAME] [--only NAME]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { toMessage } from '../../src/errors.ts';
import { findVersion, loadModelStore } from '../../src/model/model-store.ts';
import { findFreePort } from '../../test/fixtures/port.ts';
import { type ProcessGroup, startGroup } from '../seed-failure/process-group.ts';
import { toMedian } from '../statistics.ts';
import type { BenchModel, Contender } from './contender.ts';
import { contenders, imageCheck } from './contenders.ts';
import { installPeers } from './install.ts';
import { benchModels, modelsDir } from './installed.ts';
import { writePictures } from './pictures.ts';

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

const workers = 2;
/** Importing TensorFlow and loading a model take 15 s on a machine that does other things as well. */
const startLimitMs = 120_000;

if (process.argv[1] === import.meta.filename) await main();

/** Starts each contender in turn and uploads the pictures to it. @throws where one gives no scores */
export async function compareScores(
  compared: readonly Contender[],
  files: readonly string[],
  model: BenchModel = 'mobilenet-224',
): Promise<ScoreDifference[]> {
  const expected = await gatherScores(imageCheck, files, model);
  const sizes = await Promise.all(files.map(readSize));
  const found: ScoreDifference[] = [];
  for (const contender of compared) {
    if (contender === imageCheck || !contender.models.includes(model)) continue;
    const given = await gatherScores(contender, files, model);
    const differences = expected.map((scores, index) => toDifference(scores, given[index] ?? []));
    for (const size of new Set(sizes)) {
      const those = differences.filter((_, index) => sizes[index] === size);
      const { name } = contender;
      found.push({ contender: name, model, size, largest: Math.max(...those), median: toMedian(those) });
    }
  }
  return found;
}

async function gatherScores(contender: Contender, files: readonly string[], model: BenchModel) {
  const [port, opsPort] = [await findFreePort(), await findFreePort()];
  const { command, args, cwd, env } = contender.toCommand({ port, opsPort, workers, model });
  const group = startGroup(command, args, { cwd, env });
  try {
    const url = `http://127.0.0.1:${String(port)}${contender.path}`;
    await waitUntilUp(contender, group, url, files[0] ?? '');
    const scores: (readonly number[])[] = [];
    for (const file of files) scores.push(contender.toScores(await upload(contender, url, file)));
    return scores;
  } finally {
    await group.kill();
  }
}

async function waitUntilUp(contender: Contender, group: ProcessGroup, url: string, file: string): Promise<void> {
  const giveUpAt = performance.now() + startLimitMs;
  for (;;) {
    try {
      await upload(contender, url, file);
      return;
    } catch (thrown) {
      if (group.hasEnded() || performance.now() > giveUpAt) {
        const lines = group.output().trim().split('\n').slice(-5);
        throw new Error(`${contender.name}: ${toMessage(thrown)}: ${lines.join(' | ')}`, { cause: thrown });
      }
      await delay(100);
    }
  }
}

async function upload({ body }: Contender, url: string, file: string): Promise<unknown> {
  const bytes = new Uint8Array(readFileSync(file));
  const form = new FormData();
  form.append('image', new Blob([bytes], { type: 'image/jpeg' }), 'photo.jpg');
  const response = await fetch(url, { method: 'POST', body: body === 'raw' ? bytes : form });
  if (response.status !== 200) throw new Error(`status ${String(response.status)}: ${await response.text()}`);
  return response.json();
}

function toDifference(expected: readonly number[], given: readonly number[]): number {
  if (given.length !== expected.length) throw new Error(`scores of ${String(given.length)} labels`);
  return Math.max(...expected.map((score, index) => Math.abs(score - (given[index] ?? NaN))));
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
