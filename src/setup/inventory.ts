import { createHash } from 'node:crypto';
import { chmod, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { nativeFiles } from '../native-library.ts';
import { folderMode } from './cache.ts';
import { libraryFiles } from './wheel.ts';

/** Files to load, relative to a folder of the cache. */
export const loadedFiles = [
  nativeFiles.binding,
  nativeFiles.jpeg,
  ...libraryFiles.map((name) => join(nativeFiles.libraries, name)),
] as const;

/** Folders of these files. */
export const loadedFolders = ['', 'lib', 'deps', nativeFiles.libraries, dirname(nativeFiles.binding)] as const;

/** Hex SHA-256 of each file. */
const inventorySchema = z.record(z.string(), z.string());
const inventoryFile = 'inventory.json';
/** Identity of the hashed files, so that a start costs four stats instead of reading 600 MB. */
const verifiedFile = 'verified.json';

/** Whether a folder of the cache may be loaded from. */
export type Integrity =
  | { readonly kind: 'whole' }
  | { readonly kind: 'missing' }
  /** A file differs from its hash. */
  | { readonly kind: 'damaged'; readonly file: string };

/** Completes a folder: restricts write access to the owner and stores the hashes of its files. */
export async function sealFolder(folder: string, signal: AbortSignal): Promise<void> {
  for (const path of [...loadedFiles, ...loadedFolders]) await chmod(join(folder, path), folderMode);
  const hashes = await hashFiles(folder, signal);
  await writeFile(join(folder, inventoryFile), JSON.stringify(hashes), { mode: 0o644 });
  await writeFile(join(folder, verifiedFile), await takeIdentity(folder), { mode: 0o644 });
}

/**
 * Compares every file with its stored hash. Files that were hashed before and have the same change time (which only root
 * can set back) are not read again.
 */
export async function verifyFolder(folder: string, signal: AbortSignal): Promise<Integrity> {
  const inventory = await readInventory(folder);
  if (inventory === undefined) return { kind: 'missing' };
  const identity = await takeIdentity(folder).catch(() => undefined);
  const known = await readFile(join(folder, verifiedFile), 'utf8').catch(() => undefined);
  if (identity !== undefined && identity === known) return { kind: 'whole' };
  const hashes: Record<string, string> = identity === undefined ? {} : await hashFiles(folder, signal);
  const damaged = loadedFiles.find((file) => hashes[file] === undefined || hashes[file] !== inventory[file]);
  if (damaged !== undefined) return { kind: 'damaged', file: damaged };
  // In a read-only folder every start hashes.
  if (identity !== undefined) await writeFile(join(folder, verifiedFile), identity).catch(() => undefined);
  return { kind: 'whole' };
}

/** Makes the next start hash the files again. */
export async function forgetVerification(folder: string): Promise<void> {
  await rm(join(folder, verifiedFile), { force: true }).catch(() => undefined);
}

/** The hash of a file's bytes, in hex. */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    // One reused buffer: this process is long-lived and stays small.
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function readInventory(folder: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return inventorySchema.parse(JSON.parse(await readFile(join(folder, inventoryFile), 'utf8')));
  } catch {
    return undefined;
  }
}

async function hashFiles(folder: string, signal: AbortSignal): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const file of loadedFiles) hashes[file] = await hashFile(join(folder, file), signal);
  return hashes;
}

async function takeIdentity(folder: string): Promise<string> {
  const identities: unknown[] = [];
  for (const file of loadedFiles) {
    const { size, ino, mtimeNs, ctimeNs } = await stat(join(folder, file), { bigint: true });
    identities.push([file, ...[size, ino, mtimeNs, ctimeNs].map(String)]);
  }
  return JSON.stringify(identities);
}
