import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toFileHash } from '../src/model/model-files.ts';
import type { MobileNetShape } from './mobilenet.ts';

/** Writes a MobileNetV2 as the SavedModel that Keras exports, variables and functions and all. */
export function writeSavedMobileNet(python: string, modelsDir: string, name: string, shape: MobileNetShape): void {
  const dir = path.join(modelsDir, name, '1');
  const script = path.join(import.meta.dirname, 'export-mobilenet.py');
  execFileSync(python, [script, dir, String(shape.size), String(shape.width)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => path.join(entry.parentPath, entry.name));
  const manifest = {
    format: 'tf-savedmodel',
    input: { width: shape.size, height: shape.size, resize: 'cover', normalise: { scale: 1 / 127.5, offset: -1 } },
    output: { kind: 'single-label', labels: ['a', 'b', 'c', 'd', 'e'] },
    files: Object.fromEntries(files.map((file) => [path.relative(dir, file), toFileHash(readFileSync(file))])),
  };
  writeFileSync(path.join(dir, 'manifest.json'), JSON.stringify(manifest));
}
