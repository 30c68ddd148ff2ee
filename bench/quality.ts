// Compares the cost of the shipped model with MobileNetV2, and with decoding with the cheapest decode. Takes two minutes.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hearAnswer, startBenchProcess } from './bench-process.ts';
import { writeMobileNet } from './mobilenet.ts';
import type { QualityCost } from './quality-process.ts';
import { toMedian, toQuantile } from './statistics.ts';

const [photo = ''] = process.argv.slice(2);
const loadBefore = os.loadavg()[0] ?? NaN;
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
try {
  await writeMobileNet(dir, 'mobilenet');
  cpSync(path.join(import.meta.dirname, '..', 'models', 'quality'), path.join(dir, 'quality'), { recursive: true });
  for (const name of ['mobilenet', 'quality']) {
    await run('compile-once.ts', [dir, name, path.join(dir, `${name}-artefact`)]);
  }
  const cost = (await run('quality-process.ts', [dir, photo])) as QualityCost;
  const toRow = (ratios: readonly number[]): Record<string, string> => ({
    median: toMedian(ratios).toFixed(2),
    'from (10 %)': toQuantile(ratios, 0.1).toFixed(2),
    'to (90 %)': toQuantile(ratios, 0.9).toFixed(2),
  });
  console.table({
    'inference, ms': toRow(cost.qualityMs),
    'MobileNetV2-224, ms': toRow(cost.mobileNetMs),
    'inference : MobileNetV2-224': toRow(cost.qualityMs.map((ms, round) => ms / (cost.mobileNetMs[round] ?? NaN))),
    'cheapest decode of 12 MP, CPU ms': toRow(cost.cheapestMs),
    'decode of 12 MP + inference, CPU ms': toRow(cost.wholeMs),
    'decode + inference : cheapest decode': toRow(
      cost.wholeMs.map((ms, round) => ms / (cost.cheapestMs[round] ?? NaN)),
    ),
  });
  console.log(`12 MP JPEG of ${(cost.jpegBytes / 1e6).toFixed(1)} MB, ${String(cost.qualityMs.length)} rounds`);
  console.log(`load average before ${loadBefore.toFixed(1)}, after ${(os.loadavg()[0] ?? NaN).toFixed(1)}`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function run(file: string, args: readonly string[]): Promise<unknown> {
  const child = startBenchProcess(file, args);
  try {
    return await hearAnswer(child);
  } finally {
    child.kill('SIGKILL');
  }
}
