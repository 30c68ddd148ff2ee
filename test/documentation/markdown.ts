import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** A Markdown document, as far as tests look at it. */
export interface Markdown {
  readonly blocks: readonly CodeBlock[];
  /** Inline code. */
  readonly spans: readonly string[];
  /** Everything else. */
  readonly prose: string;
  /** What follows `#` in a link to each heading. */
  readonly anchors: ReadonlySet<string>;
  /** Targets of links and pictures. */
  readonly links: readonly string[];
}

/** Lists every Markdown file below a folder, without what is installed or hidden. */
export function listDocuments(root: string, folder = ''): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.name.startsWith('.') || ['node_modules', 'dist', 'coverage'].includes(entry.name)) return [];
    if (entry.isDirectory()) return listDocuments(root, name);
    return entry.name.endsWith('.md') ? [name] : [];
  });
}

/** Reads a document. */
export function loadMarkdown(file: string): Markdown {
  return toMarkdown(readFileSync(file, 'utf8'));
}

/** Splits a document into code and prose. */
export function toMarkdown(text: string): Markdown {
  const blocks: CodeBlock[] = [];
  const withoutBlocks = text.replaceAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm, (_all, _indent, language, code) => {
    blocks.push({ language: String(language), text: String(code) });
    return '';
  });
  const spans: string[] = [];
  const prose = withoutBlocks.replaceAll(/(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/g, (_all, _ticks, code) => {
    // In a table a pipe is escaped, in code as well.
    spans.push(String(code).replaceAll('\\|', '|').replaceAll(/\s+/g, ' '));
    return '';
  });
  const inline = [...prose.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g)];
  const references = [...prose.matchAll(/^\[[^\]]+\]: +(\S+)/gm)];
  const links = [...inline, ...references].flatMap(([, target]) => target ?? []);
  return { blocks, spans, prose, anchors: toAnchors(withoutBlocks), links };
}

/** As GitHub names headings: one that comes again is numbered. */
function toAnchors(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const name = words.replaceAll(/[^\p{L}\p{M}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    let anchor = name;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${name}-${String(count)}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The rows of the tables in a section, each as its cells; escaped pipes stay in their cell. */
export function listRows(text: string, heading: string): string[][] {
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const [, after = ''] = `\n${text}`.split(`\n${heading}\n`);
  const [section = ''] = after.split(new RegExp(`^#{1,${String(level)}} `, 'm'));
  const rows = section.split('\n').filter((line) => line.startsWith('|') && !/^[|\-: ]+$/.test(line));
  return rows.map((row) =>
    row
      .slice(1, row.lastIndexOf('|'))
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}
