import { toMalformed } from './malformed-form.ts';

/** Names in lower case, values without quotes and escapes. */
export type Parameters = readonly (readonly [name: string, value: string])[];

/**
 * Parses the parameters of a header value such as `form-data; name="image"`, in order. It accepts what common clients send,
 * beyond RFC 9110: trailing semicolons, values without quotes that hold any
 * character but a semicolon, and quotes inside quoted file names (`"12" ruler.png"`).
 * @throws {@link ServiceError} ERR_UPLOAD_MALFORMED if a quoted value is unterminated
 */
export function parseParameters(text: string): Parameters {
  const parameters: [string, string][] = [];
  let at = (/^[^;]*/.exec(text)?.[0].length ?? 0) + 1;
  while (at < text.length) {
    const [name = ''] = /^[^;=]*/.exec(text.slice(at)) ?? [];
    at += name.length + 1;
    if (text[at - 1] !== '=') continue;
    const read = readValue(text, at);
    if (read === undefined) throw toMalformed('a quoted value has no end', text);
    parameters.push([name.trim().toLowerCase(), read.value]);
    at = read.end;
  }
  return parameters;
}

/**
 * The single value of a parameter; undefined if it is missing or empty.
 * @throws {@link ServiceError} ERR_UPLOAD_MALFORMED if it is repeated with another value: two parsers could choose different ones
 */
export function getParameter(parameters: Parameters, wanted: string): string | undefined {
  const [value, ...others] = new Set(parameters.filter(([name]) => name === wanted).map((parameter) => parameter[1]));
  if (others.length > 0) throw toMalformed(`the parameter "${wanted}" has two values`, [value, ...others].join(', '));
  return value === '' ? undefined : value;
}

interface ReadValue {
  readonly value: string;
  /** Index after the value's semicolon. */
  readonly end: number;
}

function readValue(text: string, from: number): ReadValue | undefined {
  const start = skipBlanks(text, from);
  if (text[start] === '"') {
    // A Windows path may end in a backslash, which then escapes nothing.
    return readQuoted(text, start, true) ?? readQuoted(text, start, false);
  }
  const semicolon = text.indexOf(';', start);
  const end = semicolon === -1 ? text.length : semicolon;
  return { value: text.slice(start, end).trim(), end: end + 1 };
}

/** A quote ends the value only before a semicolon or the end: clients send quotes in file names unescaped. */
function readQuoted(text: string, start: number, hasEscapes: boolean): ReadValue | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (hasEscapes && text[at] === '\\' && /["\\]/.test(text[at + 1] ?? '')) at += 1;
    else if (text[at] === '"') {
      const behind = skipBlanks(text, at + 1);
      if (behind === text.length || text[behind] === ';') {
        const value = text.slice(start + 1, at);
        return { value: hasEscapes ? value.replace(/\\(["\\])/g, '$1') : value, end: behind + 1 };
      }
    }
  }
  return undefined;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}
