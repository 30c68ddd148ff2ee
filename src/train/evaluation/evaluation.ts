import type { Manifest } from '../../model/manifest.ts';
import type { Verdict } from '../../model/policy.ts';
import { type LabelFigures, measureLabels, type ScoredPicture } from './label-figures.ts';
import { type Kind, kinds, type LabelledPicture } from './labelled-picture.ts';
import { scoreNamed, type ScorePicture } from './picture-scorer.ts';
import { toVerdict } from './policy-verdict.ts';

/** Scores and verdicts of one kind of degradation at one level. */
export interface KindFigures {
  readonly kind: Kind;
  readonly level: number;
  /** Smallest to largest strength of the level. */
  readonly strength: string;
  readonly pictures: number;
  /** Label of the kind; undefined where the model lacks it or the kind has none. */
  readonly label: string | undefined;
  /** Mean score of that label, or of the highest of each picture. */
  readonly meanScore: number;
  /** Shares of the pictures, 0…1; flagged includes rejected. */
  readonly flagged: number;
  readonly rejected: number;
}

/** Verdicts on untouched photographs. */
export interface OriginalFigures {
  readonly pictures: number;
  /** File names; flagged includes rejected. */
  readonly flagged: readonly string[];
  readonly rejected: readonly string[];
}

/** Figures measured on pictures rendered from photographs. */
export interface Evaluation {
  readonly pictures: number;
  readonly labels: readonly LabelFigures[];
  readonly kinds: readonly KindFigures[];
  readonly originals: OriginalFigures;
}

interface JudgedPicture extends ScoredPicture, Pick<LabelledPicture, 'photo' | 'kind' | 'strength' | 'level'> {
  readonly verdict: Verdict;
}

const labelOf: Readonly<Partial<Record<Kind, string>>> = {
  defocus: 'blurry',
  motion: 'blurry',
  'soft background': 'blurry',
  underexposure: 'dark',
  overexposure: 'overexposed',
  'low contrast': 'low_contrast',
  noise: 'noisy',
  compression: 'blocky',
  blank: 'blank',
};

/**
 * Scores labelled pictures and measures the accuracy of the scores.
 * @param onPicture called with the photograph of every completed picture
 * @throws ExitError 78 where a picture does not decode
 */
export async function evaluatePictures(
  pictures: AsyncIterable<LabelledPicture>,
  score: ScorePicture,
  manifest: Manifest,
  onPicture: (photo: string) => void = () => undefined,
): Promise<Evaluation> {
  const judged: JudgedPicture[] = [];
  for await (const { bytes, photo, kind, strength, level, targets } of pictures) {
    const found = await scoreNamed(score, photo, bytes);
    const verdict = toVerdict(found.scores, manifest);
    judged.push({ photo, kind, strength, level, targets, ...found, verdict });
    onPicture(photo);
  }
  return {
    pictures: judged.length,
    labels: measureLabels(judged, manifest),
    kinds: measureKinds(judged, manifest.output.labels),
    originals: measureOriginals(judged),
  };
}

function measureKinds(pictures: readonly JudgedPicture[], labels: readonly string[]): KindFigures[] {
  return kinds.flatMap((kind) => {
    const ofKind = pictures.filter((picture) => picture.kind === kind);
    const levels = [...new Set(ofKind.map(({ level }) => level))].sort((a, b) => a - b);
    return levels.map((level) => {
      const some = ofKind.filter((picture) => picture.level === level);
      return { kind, level, ...measureGroup(some, labels, labelOf[kind]) };
    });
  });
}

function measureGroup(
  pictures: readonly JudgedPicture[],
  labels: readonly string[],
  concerned: string | undefined,
): Omit<KindFigures, 'kind' | 'level'> {
  const column = concerned === undefined ? -1 : labels.indexOf(concerned);
  const toScore = ({ scores }: JudgedPicture): number => scores[column] ?? Math.max(...scores);
  const toShare = (isCounted: (picture: JudgedPicture) => boolean): number =>
    pictures.filter(isCounted).length / pictures.length;
  return {
    strength: toRange(pictures.map(({ strength }) => strength)),
    pictures: pictures.length,
    label: labels[column],
    meanScore: pictures.reduce((sum, picture) => sum + toScore(picture), 0) / pictures.length,
    flagged: toShare(({ verdict }) => verdict !== 'accept'),
    rejected: toShare(({ verdict }) => verdict === 'reject'),
  };
}

/** Joins the smallest and the largest strength, compared by the number in them. */
function toRange(strengths: readonly string[]): string {
  const toNumber = (text: string): number => Number(/-?\d+(\.\d+)?/.exec(text.replaceAll('−', '-'))?.[0] ?? 0);
  const distinct = [...new Set(strengths)].sort((a, b) => toNumber(a) - toNumber(b));
  return [...new Set([distinct[0], distinct.at(-1)])].join(' … ');
}

function measureOriginals(pictures: readonly JudgedPicture[]): OriginalFigures {
  const originals = pictures.filter(({ kind }) => kind === 'original');
  const flagged = originals.filter(({ verdict }) => verdict !== 'accept');
  const rejected = flagged.filter(({ verdict }) => verdict === 'reject');
  return {
    pictures: originals.length,
    flagged: flagged.map(({ photo }) => photo),
    rejected: rejected.map(({ photo }) => photo),
  };
}
