// Compiles one model in its own process, which spares the serving process time and memory.
import { access, constants, mkdir } from 'node:fs/promises';
import { setPriority } from 'node:os';
import path from 'node:path';
import { toMessage } from '../errors.ts';
import { loadTensorFlow } from '../inference/engines/tensorflow.ts';
import type { CompileReport, CompileTask } from '../ipc/thread-messages.ts';
import { acquireLock } from '../lock.ts';
import { findArtefact, toArtefactKey } from '../model/artefact.ts';
import { loadModelFiles } from '../model/model-files.ts';
import { compileModel } from './compile-model.ts';

const lockTimeoutMs = 10 * 60_000;

process.once('message', (task: CompileTask) => {
  void compile(task)
    .then(
      (): CompileReport => ({ kind: 'done' }),
      (thrown: unknown): CompileReport => ({ kind: 'failed', reason: toMessage(thrown) }),
    )
    .then((report) => process.send?.(report, () => process.kill(process.pid, 'SIGKILL')));
});
// The parent is gone.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

/** The first writable folder, created if needed: an artefact's folder can also hold its lock. */
async function findWritable(folders: readonly [string, ...string[]]): Promise<string> {
  for (const folder of folders) {
    const isWritable = await mkdir(folder, { recursive: true })
      .then(() => access(folder, constants.W_OK))
      .then(
        () => true,
        () => false,
      );
    if (isWritable) return folder;
  }
  return folders[0];
}

/** One process at a time compiles a model; the others find its artefact. */
async function compile({ model, cacheDir, tensorflowVersion, golden }: CompileTask): Promise<void> {
  setPriority(10);
  const name = toArtefactKey(model.manifest, tensorflowVersion);
  const { signal } = new AbortController();
  const lock = await acquireLock(path.join(await findWritable([cacheDir, model.dir]), 'locks'), name, {
    signal,
    timeoutMs: lockTimeoutMs,
    onWait: () => undefined,
  });
  try {
    const found = await findArtefact(model, cacheDir, tensorflowVersion);
    if (found.kind !== 'none') return;
    const files = await loadModelFiles(model);
    const rasters = golden.map(({ raster }) => raster);
    await compileModel(loadTensorFlow(), model, files, { cacheDir, environment: process.env, rasters });
  } finally {
    lock.release();
  }
}
