import type { Markdown } from './markdown.ts';

/** A command of a document, split as a shell does. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** Whether it can be run as it stands; inline code may leave out what a command needs. */
  readonly isWhole: boolean;
}

/** Lists the commands of a document's blocks and inline code. */
export function listCommands({ blocks, spans }: Pick<Markdown, 'blocks' | 'spans'>): ShellCommand[] {
  const shell = blocks.filter(({ language }) => ['', 'sh', 'bash'].includes(language));
  const lines = shell.flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  return [...lines.flatMap((line) => split(line, true)), ...spans.flatMap((span) => split(span, false))];
}

/** Splits a line into commands, without prompts, variables before a command, redirections and brackets around options. */
function split(line: string, isWhole: boolean): ShellCommand[] {
  const tokens = line.replace(/^\s*[$#] /, '').match(/(?:[^\s"'|&;]|"[^"]*"|'[^']*')+|&&|[|;&]/g) ?? [];
  const commands: string[][] = [[]];
  for (const token of tokens) {
    if (/^(&&|[|;&])$/.test(token)) commands.push([]);
    else commands.at(-1)?.push(token.replaceAll(/["'[\]]/g, ''));
  }
  return commands.map((words) => ({ words: dropShell(words), isWhole })).filter(({ words }) => words.length > 0);
}

function dropShell(words: readonly string[]): string[] {
  const start = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  const end = words.findIndex((word) => /^\d?[<>]/.test(word));
  return start < 0 ? [] : words.slice(start, end < 0 ? undefined : end);
}
