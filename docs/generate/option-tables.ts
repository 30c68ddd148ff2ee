import { format, resolveConfig } from 'prettier';
import { listOptions, type Option } from '../../src/config/options.ts';

/** Renders a table of every option for each section of the configuration. */
export async function renderOptionTables(): Promise<string> {
  const sections = new Map<string, Option[]>();
  for (const option of listOptions()) {
    const section = option.path.split('.')[0] ?? '';
    sections.set(section, [...(sections.get(section) ?? []), option]);
  }
  const markdown = [...sections].map(([name, options]) => renderSection(name, options)).join('\n');
  const settings = await resolveConfig(import.meta.filename);
  return format(markdown, { ...settings, parser: 'markdown' });
}

function renderSection(name: string, options: readonly Option[]): string {
  const head = ['option, variable', 'default', 'allowed', 'meaning'];
  const rows = [head, head.map(() => '---'), ...options.map(toCells)];
  return `### \`${name}\`\n\n${rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
}

function toCells({ path, variable, defaultValue, range, description }: Option): string[] {
  const value = JSON.stringify(defaultValue).replaceAll('|', '\\|');
  return [`\`${path}\`<br>\`${variable}\``, `\`${value}\``, range.replaceAll('|', '\\|'), description];
}
