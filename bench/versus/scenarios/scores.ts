import { readFileSync } from 'node:fs';
import type { BenchModel } from '../../peers/contender.ts';
import { toUpload } from '../../upload.ts';
import { sizeNames } from '../pictures.ts';
import { type Server, waitForVerdict } from '../server.ts';
import type { Stage } from '../stage.ts';

/** How far a contender's scores are from this project's, over all labels of all pictures. */
export interface ScoreFigure {
  readonly contender: string;
  readonly model: BenchModel;
  readonly largest: number;
  readonly mean: number;
}

/** Who differs by more judges something else. */
export const maxScoreDifference = 0.02;

/** Uploads all pictures to all servers of one model; the first server is this project's. */
export async function compareServers(stage: Stage, [own, ...others]: readonly Server[]): Promise<ScoreFigure[]> {
  if (own === undefined) return [];
  const files = sizeNames.flatMap((size) => stage.pictures.files[size]);
  const expected = await gatherScores(own, files);
  const figures: ScoreFigure[] = [];
  for (const other of others) {
    const differences = toDifferences(expected, await gatherScores(other, files));
    const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
    const largest = Math.max(...differences);
    const { name } = other.contender;
    figures.push({ contender: name, model: other.model, largest, mean });
    if (largest > maxScoreDifference) {
      stage.failures.push(`${other.model}: scores of ${name} differ by up to ${largest.toFixed(3)}`);
    }
  }
  return figures;
}

/** Differences of scores, label by label. @throws where one side has more labels or pictures */
export function toDifferences(
  expected: readonly (readonly number[])[],
  given: readonly (readonly number[])[],
): number[] {
  return expected.flatMap((scores, picture) => {
    const others = given[picture] ?? [];
    if (others.length !== scores.length) {
      throw new Error(`picture ${String(picture)} has ${String(others.length)} scores, not ${String(scores.length)}`);
    }
    return scores.map((score, label) => Math.abs(score - (others[label] ?? NaN)));
  });
}

/** Scores of each file, in the order of the labels. @throws where the server ends, or gives none */
export async function gatherScores(server: Server, files: readonly string[]): Promise<(readonly number[])[]> {
  const { contender } = server;
  const scores: (readonly number[])[] = [];
  for (const file of files) {
    const text = await waitForVerdict(server, toUpload(contender.body, [readFileSync(file)]));
    scores.push(contender.toScores(JSON.parse(text)));
  }
  return scores;
}
