import { readFileSync } from 'node:fs';

type ReadFile = (path: string) => string;

/**
 * Detects whether the kernel's OOM killer ended a process of this cgroup. The kernel counts its kills without naming the
 * process: each is attributed to one worker that died by SIGKILL.
 */
export class OomKills {
  readonly #readFile: ReadFile;
  #claimed: number;

  constructor(readFile: ReadFile = (path) => readFileSync(path, 'utf8')) {
    this.#readFile = readFile;
    this.#claimed = this.#count();
  }

  /** Claims a kill for a worker that died by SIGKILL; false if there was none, or the kernel does not count. */
  claim(): boolean {
    if (this.#count() <= this.#claimed) return false;
    this.#claimed += 1;
    return true;
  }

  #count(): number {
    for (const path of this.#listFiles()) {
      const count = /^oom_kill (\d+)$/m.exec(this.#tryRead(path))?.[1];
      if (count !== undefined) return Number(count);
    }
    return 0;
  }

  /** In a container the path may be the host's, while only the container's own folder is mounted. */
  #listFiles(): string[] {
    const cgroups = this.#tryRead('/proc/self/cgroup');
    const v1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(cgroups)?.[1];
    const v2 = /^0::(.*)$/m.exec(cgroups)?.[1];
    return [
      ...(v1 === undefined ? [] : toFiles('/sys/fs/cgroup/memory', v1, 'memory.oom_control')),
      ...(v2 === undefined ? [] : toFiles('/sys/fs/cgroup', v2, 'memory.events')),
    ];
  }

  #tryRead(path: string): string {
    try {
      return this.#readFile(path);
    } catch {
      return '';
    }
  }
}

function toFiles(root: string, group: string, name: string): string[] {
  return [`${root}${group === '/' ? '' : group}/${name}`, `${root}/${name}`];
}
