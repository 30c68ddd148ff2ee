import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { renderOptionTables } from './option-tables.ts';
import { loadPackages, renderPackages } from './packages.ts';

const root = path.resolve(import.meta.dirname, '..', '..');

/** A document whose end is generated: everything below a line. */
export interface GeneratedDocument {
  /** Below the root of the checkout. */
  readonly file: string;
  readonly below: string;
  readonly render: () => Promise<string>;
}

/** Every document that `npm run docs` writes. */
export const generatedDocuments: readonly GeneratedDocument[] = [
  { file: 'docs/configuration.md', below: '## Options', render: renderOptionTables },
  {
    file: 'THIRD_PARTY_NOTICES',
    below: '== npm packages ==',
    render: async () => renderPackages(await loadPackages(root)),
  },
];

/** Reads a document and regenerates its end. */
export async function renderDocument({ file, below, render }: GeneratedDocument): Promise<string> {
  return replaceBelow(await readFile(path.join(root, file), 'utf8'), below, await render());
}

/**
 * Replaces everything below a line.
 * @throws where the document does not have the line exactly once
 */
export function replaceBelow(document: string, line: string, text: string): string {
  const parts = `\n${document}`.split(`\n${line}\n`);
  const [kept = ''] = parts;
  if (parts.length !== 2) throw new Error(`the document must have the line "${line}" once`);
  return `${kept}\n${line}\n\n${text}`.slice(1);
}
