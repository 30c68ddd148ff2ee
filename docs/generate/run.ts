// `npm run docs`: regenerates the generated parts of the documents.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generatedDocuments, renderDocument } from './documents.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
for (const document of generatedDocuments) {
  await writeFile(path.join(root, document.file), await renderDocument(document));
  process.stdout.write(`${document.file} is written\n`);
}
