/** Control characters, and characters that reverse the direction of the text after them. */
export const unprintable = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** An absolute path of two segments or more, in quotes or up to whitespace; not the end of a URL or of a relative path. */
const quoted = /(['"`])\/[^'"`\n]*\/([^'"`/\n]*)\1/g;
const bare = /(?<![\w.:/@~-])(?:file:\/\/)?\/(?:[^\s/'"`<>|:;,()]+\/)+([^\s/'"`<>|:;,()]*)/g;

/**
 * Reduces every absolute path in a text to its last part: clients and probes see the text, and must not learn about the
 * machine. The log keeps the full text.
 * @param roots folders that the text may name; they may contain whitespace
 */
export function hidePaths(text: string, ...roots: readonly string[]): string {
  const ordered = roots.filter((root) => root.length > 1).toSorted((one, other) => other.length - one.length);
  let hidden = text;
  for (const root of ordered) hidden = hidden.replaceAll(`${root}/`, '').replaceAll(root, toLastPart(root));
  return hidden.replace(quoted, '$1$2$1').replace(bare, '$1');
}

function toLastPart(path: string): string {
  return path.split('/').findLast((part) => part !== '') ?? '';
}
