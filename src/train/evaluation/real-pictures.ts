import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, ExitError, toMessage } from '../../errors.ts';
import type { Manifest } from '../../model/manifest.ts';
import type { Verdict } from '../../model/policy.ts';
import { listPhotos } from '../samples/photos.ts';
import { type LabelFigures, measureLabels, type ScoredPicture } from './label-figures.ts';
import { scoreNamed, type ScorePicture } from './picture-scorer.ts';
import { isFlaggedAs, toVerdict } from './policy-verdict.ts';

/** A folder of pictures whose faults are real, not simulated. */
export interface RealFolder {
  readonly name: string;
  /** Path as the user gave it, or absolute. */
  readonly dir: string;
  /** Expected label of its pictures; undefined for good ones. */
  readonly label: string | undefined;
  readonly files: readonly string[];
}

/** Verdicts on one folder's pictures. */
export interface FolderFigures extends Pick<RealFolder, 'name' | 'label'> {
  readonly pictures: number;
  readonly flagged: number;
  readonly rejected: number;
  /** Number flagged with the folder's label; 0 for good ones. */
  readonly recognised: number;
  /** Good pictures that are flagged, others that are not flagged with their label. */
  readonly wrong: readonly string[];
}

/** Figures measured on real pictures. */
export interface RealFigures {
  readonly folders: readonly FolderFigures[];
  /** For each label with a folder: its pictures against all good ones. */
  readonly labels: readonly LabelFigures[];
}

/**
 * Lists the subfolders of real pictures; a name begins with `good` or with a label, as `blurry-motion` does.
 * @throws {@link ExitError} 78 where a name begins otherwise, a folder is empty, or there are no good pictures
 */
export async function listRealFolders(dir: string, labels: readonly string[]): Promise<RealFolder[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((thrown: unknown) => {
    throw new ExitError(exitCodes.configuration, `real pictures can't be read: ${toMessage(thrown)}`);
  });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const folders: RealFolder[] = [];
  for (const name of names.sort()) {
    const folder = path.join(dir, name);
    folders.push({ name, dir: folder, label: findLabel(name, labels), files: await listPhotos(folder) });
  }
  if (folders.some(({ label }) => label === undefined)) return folders;
  throw new ExitError(exitCodes.configuration, `no folder in ${dir} begins with good: labels are measured against it`);
}

function findLabel(name: string, labels: readonly string[]): string | undefined {
  const plain = name.toLowerCase().replaceAll(/[-\s]/g, '_');
  if (plain.startsWith('good')) return undefined;
  const label = labels.find((known) => plain.startsWith(known));
  if (label !== undefined) return label;
  const known = ['good', ...labels].join(', ');
  throw new ExitError(exitCodes.configuration, `real pictures: the folder ${name} begins with none of ${known}`);
}

interface RealPicture extends ScoredPicture {
  readonly folder: RealFolder;
  readonly file: string;
  readonly verdict: Verdict;
}

/**
 * Scores real pictures and measures the accuracy of the scores.
 * @throws ExitError 78 where a picture does not decode
 */
export async function evaluateReal(
  folders: readonly RealFolder[],
  score: ScorePicture,
  manifest: Manifest,
  onPicture: (done: number, total: number) => void,
): Promise<RealFigures> {
  const total = folders.reduce((sum, { files }) => sum + files.length, 0);
  const pictures: RealPicture[] = [];
  for (const folder of folders) {
    for (const file of folder.files) {
      const name = path.join(folder.dir, file);
      const found = await scoreNamed(score, name, await readFile(name));
      const targets = toTargets(folder, manifest.output.labels);
      pictures.push({ folder, file, targets, ...found, verdict: toVerdict(found.scores, manifest) });
      onPicture(pictures.length, total);
    }
  }
  const known = new Set(folders.map(({ label }) => label));
  return {
    folders: folders.map((folder) => measureFolder(folder, pictures, manifest)),
    labels: measureLabels(pictures, manifest).filter(({ label }) => known.has(label)),
  };
}

/** Builds targets; in a folder of one label the other labels are unknown. */
function toTargets({ label }: RealFolder, labels: readonly string[]): ScoredPicture['targets'] {
  return labels.map((other) => ({
    value: label === other ? 1 : 0,
    weight: label === undefined || label === other ? 1 : 0,
  }));
}

function measureFolder(folder: RealFolder, all: readonly RealPicture[], manifest: Manifest): FolderFigures {
  const { name, label } = folder;
  const pictures = all.filter((picture) => picture.folder === folder);
  const flagged = pictures.filter(({ verdict }) => verdict !== 'accept');
  const recognised = pictures.filter(({ scores }) => label !== undefined && isFlaggedAs(label, scores, manifest));
  const wrong = label === undefined ? flagged : pictures.filter((picture) => !recognised.includes(picture));
  return {
    ...{ name, label },
    pictures: pictures.length,
    flagged: flagged.length,
    rejected: pictures.filter(({ verdict }) => verdict === 'reject').length,
    recognised: recognised.length,
    wrong: wrong.map(({ file }) => file),
  };
}
