import type { Manifest } from './manifest.ts';

/** From best to worst; the verdict of a whole is the worst of its parts. */
export const verdicts = ['accept', 'review', 'reject'] as const;
export type Verdict = (typeof verdicts)[number];

/** From which scores on a label flags a picture; undefined for one that never does. */
export type Thresholds = Manifest['policy'][string] | undefined;

/** Holds one label's score, 0…1, against its thresholds. */
export function judgeScore(score: number, { review, reject }: NonNullable<Thresholds> = {}): Verdict {
  const reaches = (threshold: number | undefined): boolean => threshold !== undefined && score >= threshold;
  return reaches(reject) ? 'reject' : reaches(review) ? 'review' : 'accept';
}

/** The worst of several verdicts; accept where there is none. */
export function toWorst(all: readonly Verdict[]): Verdict {
  return all.reduce<Verdict>(
    (worst, next) => (verdicts.indexOf(next) > verdicts.indexOf(worst) ? next : worst),
    'accept',
  );
}
