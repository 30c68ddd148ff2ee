import { stringify } from 'yaml';
import { listOptions, type Option } from './options.ts';

const heading = `# Every option with its default. Over this file go config/<NODE_ENV>.yaml, --config FILE, IMAGE_CHECK_… variables and flags;
# \`image-check config\` prints what they come to. Written by \`image-check config --defaults\`.
`;

/** Writes `config/default.yaml`: every option's sentence, range, variable and default. */
export function renderDefaultFile(): string {
  const sections = new Map<string, Option[]>();
  for (const option of listOptions()) {
    const section = option.path.split('.')[0] ?? '';
    sections.set(section, [...(sections.get(section) ?? []), option]);
  }
  return [heading, ...[...sections].map(([name, options]) => renderSection(name, options))].join('\n');
}

function renderSection(name: string, options: readonly Option[]): string {
  if (options.length === 1 && options[0]?.path === name) return renderOption(options[0], '');
  return `${name}:\n${options.map((option) => renderOption(option, '  ')).join('')}`;
}

function renderOption({ path, description, range, variable, defaultValue }: Option, indent: string): string {
  const name = path.split('.').at(-1) ?? path;
  const value = stringify({ [name]: defaultValue }, { lineWidth: 0, collectionStyle: 'flow' })
    .trim()
    .slice(1, -1)
    .trim();
  return `${indent}# ${description} ${range} · ${variable}\n${indent}${value}\n`;
}
