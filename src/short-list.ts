const shown = 8;

/** Joins names or numbers, of very many only the first: a line stays a line. */
export function toShortList(all: readonly string[], separator = ', '): string {
  if (all.length <= shown + 1) return all.join(separator);
  return `${all.slice(0, shown).join(separator)}${separator}… ${String(all.length - shown)} more`;
}
