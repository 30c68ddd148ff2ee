/** Memory of a process in bytes: resident, proportional, and private to it. */
export interface ProcessMemory {
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly privateBytes: number;
}

/** Parses `/proc/<pid>/smaps_rollup`; undefined for a text without its fields, as a process that has ended leaves. */
export function toProcessMemory(rollup: string): ProcessMemory | undefined {
  const [rss, pss, clean, dirty] = ['Rss', 'Pss', 'Private_Clean', 'Private_Dirty'].map((field) => {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  });
  if (rss === undefined || pss === undefined || clean === undefined || dirty === undefined) return undefined;
  return { rssBytes: rss, pssBytes: pss, privateBytes: clean + dirty };
}
