import type { Target } from '../samples/labels.ts';

/** Maps a label's logit to a probability: sigmoid(slope · logit + offset). */
export interface Calibrator {
  readonly slope: number;
  readonly offset: number;
}

/** The weighted cross-entropy of a calibrator, and Newton's step from there. */
interface NewtonStep {
  readonly loss: number;
  readonly bySlope: number;
  readonly byOffset: number;
}

const steps = 50;
/** Limit of how often a step that does not lower the loss is halved. */
const halvings = 40;
/** Keeps the slope finite for a label that is separated without an error. */
const ridge = 1e-3;

/**
 * Fits one label by Newton's method on the weighted cross-entropy (Platt 1999, "Probabilistic outputs for support vector
 * machines", with targets of 0…1; as in Lin, Lin and Weng 2007 a step is halved until it lowers the loss: where the
 * sigmoid is flat, a full step diverges).
 */
export function fitCalibrator(logits: readonly number[], targets: readonly Target[]): Calibrator {
  let best: Calibrator = { slope: 1, offset: 0 };
  if (targets.every(({ weight }) => weight === 0)) return best;
  for (let step = 0; step < steps; step += 1) {
    const descent = measureNewtonStep(logits, targets, best);
    const next = Array.from({ length: halvings }, (_, halving) => ({
      slope: best.slope - descent.bySlope / 2 ** halving,
      offset: best.offset - descent.byOffset / 2 ** halving,
    })).find((candidate) => measureNewtonStep(logits, targets, candidate).loss < descent.loss);
    if (!next) return best;
    best = next;
  }
  return best;
}

/** The logistic function: 0…1 for any number. */
export function toSigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function measureNewtonStep(
  logits: readonly number[],
  targets: readonly Target[],
  { slope, offset }: Calibrator,
): NewtonStep {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let loss = (ridge * ((slope - 1) ** 2 + offset ** 2)) / 2;
  let [bySlope, byOffset] = [ridge * (slope - 1), ridge * offset];
  let [twiceSlope, both, twiceOffset] = [ridge, 0, ridge];
  for (const [index, { value, weight }] of targets.entries()) {
    const logit = logits[index] ?? 0;
    const x = slope * logit + offset;
    const score = toSigmoid(x);
    const error = (weight * (score - value)) / total;
    const curve = (weight * score * (1 - score)) / total;
    loss += (weight * (Math.max(x, 0) - x * value + Math.log1p(Math.exp(-Math.abs(x))))) / total;
    bySlope += error * logit;
    byOffset += error;
    twiceSlope += curve * logit ** 2;
    both += curve * logit;
    twiceOffset += curve;
  }
  const determinant = twiceSlope * twiceOffset - both ** 2;
  return {
    loss,
    bySlope: (bySlope * twiceOffset - byOffset * both) / determinant,
    byOffset: (byOffset * twiceSlope - bySlope * both) / determinant,
  };
}
