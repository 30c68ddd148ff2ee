import { homedir } from 'node:os';
import path from 'node:path';

/**
 * The user's cache folder of this program: `$XDG_CACHE_HOME/image-check`, else `~/.cache/image-check`. The XDG base
 * directory specification has relative paths ignored, and an empty HOME is as good as none.
 * @returns undefined for a user without a home, as containers run
 */
export function findUserCache(environment: NodeJS.ProcessEnv): string | undefined {
  const bases = [environment['XDG_CACHE_HOME'], joinCache(environment['HOME']), joinCache(readHome())];
  const base = bases.find((folder) => folder !== undefined && path.isAbsolute(folder));
  return base === undefined ? undefined : path.join(base, 'image-check');
}

function joinCache(home: string | undefined): string | undefined {
  return home === undefined || home === '' ? undefined : path.join(home, '.cache');
}

/** The home that the user database names; it throws for a user that is not in it. */
function readHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
