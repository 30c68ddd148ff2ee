import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** An input as it was passed to the code that failed. */
export interface SavedInput {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A failure, and the inputs that may have caused it. */
export interface Findings {
  add(what: string, inputs: readonly SavedInput[]): void;
  count(): number;
}

/** Further findings are only counted: one cause can fail thousands of inputs. */
const maxSaved = 100;

/** Builds a collection that prints each finding at once, and writes its inputs to a folder for `--replay`. */
export function createFindings(): Findings {
  let folder: string | undefined;
  let count = 0;
  const save = ({ name, bytes }: SavedInput): string => {
    folder ??= mkdtempSync(path.join(tmpdir(), 'image-check-fuzz-'));
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    return file;
  };
  return {
    add: (what, inputs) => {
      count += 1;
      if (count > maxSaved) return;
      console.log(`FINDING: ${what}`);
      for (const file of inputs.map(save)) console.log(`  npm run fuzz -- --replay ${file}`);
    },
    count: () => count,
  };
}
