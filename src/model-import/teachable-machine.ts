import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ModelChoices } from './model-choices.ts';
import { parseJson } from './parse-json.ts';

/** What Teachable Machine writes beside a model of pictures. */
const metadata = z.looseObject({
  labels: z.array(z.string().min(1)).min(1),
  packageName: z.string().optional(),
  tmVersion: z.string().optional(),
  imageSize: z.int().min(1).max(4096).optional(),
});

/** What is known of a model from the file beside it. */
export interface KnownModel {
  readonly choices: ModelChoices;
  /** The side of the pictures, for a network that takes any. */
  readonly imageSize?: number | undefined;
}

/**
 * Reads the `metadata.json` beside a model; a file of that name by another program is left alone.
 * @throws Error where it is no JSON
 */
export async function loadTeachableMachine(dir: string): Promise<KnownModel | undefined> {
  const file = path.join(dir, 'metadata.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = metadata.safeParse(parseJson(file, text));
  if (!parsed.success) return undefined;
  const { labels, packageName = '', tmVersion, imageSize } = parsed.data;
  if (tmVersion === undefined && !packageName.startsWith('@teachablemachine/image')) return undefined;
  // Its library cuts out the square in the middle and divides by 127, not 127.5 (libraries/image/src/utils/tf.ts).
  const input = { resize: 'cover', scale: 1 / 127, offset: -1 } as const;
  return { choices: { labels, ...input, kind: 'single-label' }, imageSize };
}
