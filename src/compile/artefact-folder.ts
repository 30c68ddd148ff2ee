import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Artefact, artefactFile, graphFile } from '../model/artefact.ts';

/**
 * Writes an artefact's folder: it is there as a whole or not at all, whoever else writes it at the same time.
 * @param graph content of `saved_model.pb`; a refusal has none
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

/** A folder that holds something can't be renamed over; it steps aside first, and goes when the new one is there. */
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
    // Another process was faster; what it wrote is of the same model.
    if (!hasCode(thrown, 'ENOTEMPTY') && !hasCode(thrown, 'EEXIST') && !hasCode(thrown, 'ENOENT')) throw thrown;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
