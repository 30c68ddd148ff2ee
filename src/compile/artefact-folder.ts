import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Artefact, artefactFile, graphFile } from '../model/artefact.ts';

/**
 * Writes an artefact's folder atomically, also against concurrent writers.
 * @param graph content of `saved_model.pb`; undefined for a refusal
 */
export async function writeArtefact(dir: string, artefact: Artefact, graph: Uint8Array | undefined): Promise<void> {
  const own = `${dir}.${randomUUID()}`;
  const staging = `${own}.partial`;
  try {
    await mkdir(staging, { recursive: true });
    if (graph) await writeFile(path.join(staging, graphFile), graph);
    await writeFile(path.join(staging, artefactFile), `${JSON.stringify(artefact, undefined, 2)}\n`);
    await replaceFolder(staging, dir, `${own}.old`);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** A rename can't replace a folder that isn't empty: the old one is moved aside first, and removed at the end. */
async function replaceFolder(staging: string, dir: string, aside: string): Promise<void> {
  try {
    await rename(staging, dir);
    return;
  } catch (thrown) {
    if (!hasCode(thrown, 'ENOTEMPTY') && !hasCode(thrown, 'EEXIST')) throw thrown;
  }
  try {
    await rename(dir, aside);
    await rename(staging, dir);
  } catch (thrown) {
    // Another writer was faster; its artefact is of the same model.
    if (!hasCode(thrown, 'ENOTEMPTY') && !hasCode(thrown, 'EEXIST') && !hasCode(thrown, 'ENOENT')) throw thrown;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
