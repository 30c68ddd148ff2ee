import { homedir } from 'node:os';
import path from 'node:path';

/**
 * The user's cache folder of this program: `$XDG_CACHE_HOME/image-check`, else `~/.cache/image-check`. As the XDG base
 * directory specification demands, relative paths are ignored; an empty HOME counts as unset.
 * @returns undefined for a user without a home, as is common in containers
 */
export function findUserCache(environment: NodeJS.ProcessEnv): string | undefined {
  const bases = [environment['XDG_CACHE_HOME'], joinCache(environment['HOME']), joinCache(readHome())];
  const base = bases.find((folder) => folder !== undefined && path.isAbsolute(folder));
  return base === undefined ? undefined : path.join(base, 'image-check');
}

function joinCache(home: string | undefined): string | undefined {
  return home === undefined || home === '' ? undefined : path.join(home, '.cache');
}

/** The home in the user database; undefined for a user who is not in it. */
function readHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
