import { readFileSync } from 'node:fs';
import { exitCodes, ExitError, toMessage } from '../errors.ts';

/**
 * Reads the names of scores: one a line, or as JSON a list, or an object from number to name or from name to number.
 * @throws ExitError 78 that names the file and what is wrong with it
 */
export function loadLabels(file: string): string[] {
  const text = read(file).replace(/^\uFEFF/, '');
  const labels = /^\s*[[{]/.test(text) ? fromJson(file, text) : fromLines(text);
  if (labels.length === 0) refuse(file, 'holds no label');
  const blank = labels.indexOf('');
  if (blank !== -1) refuse(file, `label ${String(blank + 1)} is empty`);
  const twice = labels.findIndex((label, index) => labels.indexOf(label) !== index);
  if (twice !== -1) {
    const label = String(labels[twice]);
    refuse(file, `labels ${String(labels.indexOf(label) + 1)} and ${String(twice + 1)} are both '${label}'`);
  }
  return labels;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    return refuse(file, `can't be read: ${toMessage(thrown)}`);
  }
}

/** Teachable Machine numbers the lines of its labels.txt. */
function fromLines(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  const numbered = lines.map((line) => /^(\d+)[\s,:]+(\S.*)$/.exec(line));
  const isNumbered = numbered.every((found, index) => Number(found?.[1] ?? NaN) === index);
  return isNumbered ? numbered.map((found) => found?.[2] ?? '') : lines;
}

function fromJson(file: string, text: string): string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    return refuse(file, `is not JSON: ${toMessage(thrown)}`);
  }
  const names = Array.isArray(json) ? json : toOrdered(file, Object.entries(json as Record<string, unknown>));
  return names.map((name: unknown, index) => {
    // The class index of ImageNet has the name after its number in WordNet.
    const last: unknown = Array.isArray(name) ? name.at(-1) : name;
    return typeof last === 'string' ? last.trim() : refuse(file, `label ${String(index + 1)} is no text`);
  });
}

/** @param entries number and name, or, as Keras's class_indices, name and number */
function toOrdered(file: string, entries: readonly [string, unknown][]): unknown[] {
  const isInverted = entries.every(([, value]) => Number.isInteger(value));
  const pairs = entries.map(([key, value]): [number, unknown] =>
    isInverted ? [Number(value), key] : [key.trim() === '' ? NaN : Number(key), value],
  );
  const names = new Map(pairs);
  const missing = pairs.findIndex((_, index) => !names.has(index));
  if (missing !== -1) refuse(file, `has no label of the number ${String(missing)}; they run from 0`);
  return pairs.map((_, index) => names.get(index));
}

function refuse(file: string, reason: string): never {
  throw new ExitError(exitCodes.configuration, `--labels-file ${file}: ${reason}`);
}
