/** The address of a sibling module that is started as a process or thread: source under a loader, else compiled. */
export function toEntryUrl(name: string, base: string): URL {
  return new URL(base.endsWith('.ts') ? `${name}.ts` : `${name}.js`, base);
}
