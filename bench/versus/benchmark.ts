import { statSync } from 'node:fs';
import os from 'node:os';
import { toMessage } from '../../src/errors.ts';
import type { Contender } from '../peers/contender.ts';
import { describeCircumstances } from './circumstances.ts';
import { startPacedLoad } from './open-loop.ts';
import { measureOtherModels } from './other-models.ts';
import { makePictures, type Pictures, type SizeName, sizeNames } from './pictures.ts';
import type { Plan } from './plan.ts';
import type { Results } from './results.ts';
import { startLimit } from './scenarios/limit.ts';
import { measureOnnx } from './scenarios/onnx.ts';
import { measureStarts } from './scenarios/starts.ts';
import { measureServed } from './served.ts';
import { createStage, type Stage } from './stage.ts';
import { describeSizes } from './tables.ts';
import { type Run, timeScenario } from './timing.ts';

/** What is measured. */
export interface BenchmarkOptions {
  readonly plan: Plan;
  /** For files of the run. */
  readonly dir: string;
  readonly contenders: readonly Contender[];
  /** Photographs; drawn scenes without. */
  readonly photosDir?: string;
}

/** Measures all scenarios, prints how far it is, and ends every server whatever happens. */
export async function measureAll({ plan, dir, contenders, photosDir }: BenchmarkOptions): Promise<Results> {
  const took: Record<string, number> = {};
  const run: Run = (name, work) => timeScenario(took, name, work);
  const pictures = await run('pictures', () => makePictures(dir, photosDir, plan.pictures));
  const stage = createStage({ plan, dir, pictures, contenders });
  const source = photosDir === undefined ? 'drawn scenes' : 'photographs';
  const circumstances = await describeCircumstances(stage, {
    pictures: `${String(plan.pictures)} ${source} as baseline JPEG, ${describeSizes(readSizes(pictures))}`,
    plan: plan.name,
  });
  const starts = await run('start and memory, each alone', () => measureStarts(stage, chooseStarters(stage)));
  const limit = startLimit(stage);
  const load = startPacedLoad();
  try {
    const served = await measureServed(stage, limit, load, run);
    const other = await measureOtherModels(stage, served.throughput, limit, run);
    const onnx = await run('ONNX Runtime', () => measureOnnxOrNone(stage));
    return {
      ...served,
      circumstances: { ...circumstances, loadAfter: os.loadavg()[0] ?? NaN },
      contenders: contenders.map(({ name, kind }) => ({ name, kind })),
      scores: [...served.scores, ...other.scores],
      starts,
      throughput: [...served.throughput, ...other.throughput],
      onnx,
      failures: stage.failures,
      took,
      budget: plan.budgetSeconds,
    };
  } finally {
    limit.stop();
    load.stop();
  }
}

/** In the quick plan not everybody is started alone. */
function chooseStarters({ plan, contenders }: Stage): Contender[] {
  const python = contenders.filter(({ kind }) => kind === 'python').slice(0, plan.startedPeers);
  return contenders.filter((contender) => contender.kind !== 'python' || python.includes(contender));
}

async function measureOnnxOrNone(stage: Stage): Promise<Results['onnx']> {
  return measureOnnx(stage).catch((thrown: unknown) => {
    stage.failures.push(`ONNX Runtime: ${toMessage(thrown)}`);
    return [];
  });
}

function readSizes({ files }: Pictures): Record<SizeName, number[]> {
  const sizes = { '640×480': [], '1280×960': [], '12 MP': [] } as Record<SizeName, number[]>;
  for (const size of sizeNames) sizes[size] = files[size].map((file) => statSync(file).size / 1000);
  return sizes;
}
