import type { AccessRecord } from './access-record.ts';
import { accessVariables, toCgiVariable, type WorkerFacts } from './access-variables.ts';

/** Writes one line of the access log, without its end. */
export type AccessFormat = (record: AccessRecord) => string;

type Piece = (record: AccessRecord) => string | number | undefined;

/** Compiles a uWSGI log-format string: `%(name)` is a variable, everything else is literal. */
export function compileAccessFormat(format: string, worker: WorkerFacts): AccessFormat {
  const pieces = format.split(/(%\([^)]*\))/).map((part): Piece => {
    const name = /^%\(([^)]*)\)$/.exec(part)?.[1];
    if (name === undefined) return () => part;
    const read = findVariable(name, worker);
    return (record) => toField(read(record));
  });
  return (record) => pieces.map((piece) => piece(record)).join('');
}

function findVariable(name: string, worker: WorkerFacts): Piece {
  const known = accessVariables.get(name);
  if (known !== undefined) return (record) => known(record, worker);
  if (name.startsWith('var.')) return (record) => toCgiVariable(record, name.slice('var.'.length));
  return (record) => record.variables.get(name);
}

/** Formats a value as a field: `-` for none; escapes what could end the line or the quotes around it. */
function toField(value: string | number | undefined): string {
  if (value === undefined || value === '') return '-';
  return String(value).replace(/["\\]|[^\x20-\x7e]/gu, escapeCharacter);
}

/** Escapes quote and backslash like Apache, non-ASCII bytes like nginx (Node reads headers as latin1). */
function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return [...Buffer.from(character, character <= '\xff' ? 'latin1' : 'utf8')]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');
}
