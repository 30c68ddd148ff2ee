import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ModelChoices } from './model-choices.ts';
import { parseJson } from './parse-json.ts';

/** Teachable Machine's metadata.json of an image model. */
const metadata = z.looseObject({
  labels: z.array(z.string().min(1)).min(1),
  packageName: z.string().optional(),
  tmVersion: z.string().optional(),
  imageSize: z.int().min(1).max(4096).optional(),
});

/** Settings of a model from its metadata. */
export interface KnownModel {
  readonly choices: ModelChoices;
  /** Side length of input images, for networks with any input size. */
  readonly imageSize?: number | undefined;
}

/**
 * Reads the `metadata.json` beside a model; ignores such a file of other programs.
 * @throws Error if it is not JSON
 */
export async function loadTeachableMachine(dir: string): Promise<KnownModel | undefined> {
  const file = path.join(dir, 'metadata.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = metadata.safeParse(parseJson(file, text));
  if (!parsed.success) return undefined;
  const { labels, packageName = '', tmVersion, imageSize } = parsed.data;
  if (tmVersion === undefined && !packageName.startsWith('@teachablemachine/image')) return undefined;
  // Its library crops the centre square and divides by 127, not 127.5 (libraries/image/src/utils/tf.ts).
  const input = { resize: 'cover', scale: 1 / 127, offset: -1 } as const;
  return { choices: { labels, ...input, kind: 'single-label' }, imageSize };
}
