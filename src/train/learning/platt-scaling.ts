import type { Target } from '../samples/labels.ts';

/** Turns what a network says of one label into a probability: sigmoid(slope · logit + offset). */
export interface Calibrator {
  readonly slope: number;
  readonly offset: number;
}

/** The weighted cross-entropy of a calibrator, and what Newton's step takes away from it. */
interface NewtonStep {
  readonly loss: number;
  readonly bySlope: number;
  readonly byOffset: number;
}

const steps = 50;
/** A step that does not help is halved so often at most. */
const halvings = 40;
/** Keeps a label that was told apart without a mistake from becoming certain of everything. */
const ridge = 1e-3;

/**
 * Fits one label by Newton's method on the weighted cross-entropy (Platt 1999, "Probabilistic outputs for support vector
 * machines", with targets of 0…1; steps are halved until they help, as Lin, Lin and Weng 2007 do: far out, where the
 * sigmoid is flat, a whole one leaps away).
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

/** The share, 0…1, that a number of any size stands for. */
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
