import path from 'node:path';

/** Threads and child processes of any depth inherit it. */
const variable = 'IMAGE_CHECK_NATIVE_LIBRARY';

/** Paths inside the library's folder; they mirror tfjs-node's own, so that the same rpath works. */
export const nativeFiles = {
  binding: path.join('lib', 'napi-v8', 'tfjs_binding.node'),
  jpeg: path.join('lib', 'napi-v8', 'jpeg_raster.node'),
  libraries: path.join('deps', 'lib'),
} as const;

/** Lets this process, and what it starts from now on, load native TensorFlow from a verified folder. */
export function useNativeLibrary(folder: string): void {
  Object.assign(process.env, toLibraryEnvironment(folder));
}

/** What a child process needs in its environment to load native TensorFlow from a folder. */
export function toLibraryEnvironment(folder: string): Record<string, string> {
  return { [variable]: folder };
}

/** Folder of the native TensorFlow in use; undefined where none is. */
export function findNativeLibrary(): string | undefined {
  return process.env[variable];
}

/**
 * Folder of the native TensorFlow in use.
 * @throws Error where none is.
 */
export function getNativeLibrary(): string {
  const folder = findNativeLibrary();
  if (folder === undefined) throw new Error('native TensorFlow is not set up in this process');
  return folder;
}

const markerPrefix = 'loading-';

/** A file that is in the library's folder while a thread loads it: one of a dead process tells of a crash. */
export function toLoadMarker(folder: string, pid: number, threadId: number): string {
  return path.join(folder, `${markerPrefix}${String(pid)}-${String(threadId)}`);
}

/** The process that a file of the library's folder marks as loading it; undefined for any other file. */
export function readLoadMarker(name: string): number | undefined {
  const pid = new RegExp(`^${markerPrefix}(\\d+)-\\d+$`).exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
