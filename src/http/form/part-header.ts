import { readFileName } from './file-name.ts';
import { quote, toMalformed } from './malformed-form.ts';
import { getParameter, parseParameters } from './parameters.ts';

/** The header of one part of a form. */
export interface PartHeader {
  readonly field: string;
  /** As sent; undefined if missing or empty. */
  readonly fileName: string | undefined;
  /** Lower-case, without parameters; undefined if missing. */
  readonly contentType: string | undefined;
  /** The Content-Transfer-Encoding, if it changes the bytes. */
  readonly coding: string | undefined;
  /** The disposition, quoted for errors. */
  readonly shown: string;
}

/** Transfer encodings that leave the bytes unchanged (RFC 2045, 6.2). */
const identityCodings = new Set(['', '7bit', '8bit', 'binary', 'identity']);

/**
 * Parses the header lines of one part.
 * @param block the bytes between the delimiter's line and the empty line
 * @throws {@link ServiceError} ERR_UPLOAD_MALFORMED, quoting the line, if it doesn't say which field the part belongs to
 */
export function parsePartHeader(block: Buffer): PartHeader {
  const lines = toLines(block);
  const disposition = findOne(lines, 'content-disposition');
  if (disposition === undefined) throw toMalformed('a part has no Content-Disposition', joinTexts(lines));
  const parameters = parseParameters(disposition.value);
  const field = getParameter(parameters, 'name');
  if (field === undefined) throw toMalformed('a part has no field name', disposition.text);
  const coding = findOne(lines, 'content-transfer-encoding')?.value.toLowerCase() ?? '';
  return {
    field,
    fileName: readFileName(parameters),
    contentType: toMediaType(findOne(lines, 'content-type')?.value),
    coding: identityCodings.has(coding) ? undefined : coding,
    shown: quote(disposition.text),
  };
}

interface HeaderLine {
  /** Lower-case. */
  readonly name: string;
  readonly value: string;
  /** As sent, unfolded. */
  readonly text: string;
}

function toLines(block: Buffer): HeaderLine[] {
  // A line that begins with whitespace continues the previous one (RFC 5322, 2.2.3).
  const text = decodeHeader(block).replace(/\r\n[ \t]+/g, ' ');
  return text === '' ? [] : text.split('\r\n').map(toLine);
}

function toLine(line: string): HeaderLine {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw toMalformed('a part has a line that is no header', line);
  // A bare line feed would end the line for some parsers and not for others.
  if (/[^\P{Cc}\t\u0080-\u009F]/u.test(line)) throw toMalformed('a control character in the header of a part', line);
  return { name, value: line.slice(colon + 1).trim(), text: line };
}

function findOne(lines: readonly HeaderLine[], name: string): HeaderLine | undefined {
  const found = lines.filter((line) => line.name === name);
  const [first, second] = found;
  if (second !== undefined) throw toMalformed('a header of a part is repeated', joinTexts(found));
  return first;
}

/** Browsers send UTF-8 without declaring it; anything else is an older client's Latin-1. */
function decodeHeader(block: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(block);
  } catch {
    return block.toString('latin1');
  }
}

function toMediaType(value: string | undefined): string | undefined {
  const type = value?.split(';', 1)[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}

function joinTexts(lines: readonly HeaderLine[]): string {
  return lines.map(({ text }) => text).join(', ');
}
