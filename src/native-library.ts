import path from 'node:path';

/** Threads and child processes of any depth inherit it. */
const variable = 'IMAGE_CHECK_NATIVE_LIBRARY';

/** Paths inside the library's folder; they mirror tfjs-node's own, so that the same rpath works. */
export const nativeFiles = {
  binding: path.join('lib', 'napi-v8', 'tfjs_binding.node'),
  jpeg: path.join('lib', 'napi-v8', 'jpeg_raster.node'),
  libraries: path.join('deps', 'lib'),
} as const;

/** Makes this process and its future children load native TensorFlow from a verified folder. */
export function useNativeLibrary(folder: string): void {
  Object.assign(process.env, toLibraryEnvironment(folder));
}

/** Environment of a child process that loads native TensorFlow from a folder. */
export function toLibraryEnvironment(folder: string): Record<string, string> {
  return { [variable]: folder };
}

/** Folder of the native TensorFlow in use; undefined if there is none. */
export function findNativeLibrary(): string | undefined {
  return process.env[variable];
}

/**
 * Folder of the native TensorFlow in use.
 * @throws Error if there is none
 */
export function getNativeLibrary(): string {
  const folder = findNativeLibrary();
  if (folder === undefined) throw new Error('native TensorFlow is not set up in this process');
  return folder;
}

const markerPrefix = 'loading-';

/** A file that exists while a thread loads the library; one of a dead process is evidence of a crash. */
export function toLoadMarker(folder: string, pid: number, threadId: number): string {
  return path.join(folder, `${markerPrefix}${String(pid)}-${String(threadId)}`);
}

/** The process id in the name of a load marker; undefined for any other file. */
export function readLoadMarker(name: string): number | undefined {
  const pid = new RegExp(`^${markerPrefix}(\\d+)-\\d+$`).exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
