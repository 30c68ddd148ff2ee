import { unprintable } from '../../public-text.ts';
import type { Parameters } from './parameters.ts';

/** Longest file name in answers, in characters. */
const maxNameLength = 255;

/** The name of an image that the client sent without one. */
export const defaultFileName = 'upload';

/**
 * The file name of a Content-Disposition: `filename*` (RFC 8187), its numbered pieces (RFC 2231), else `filename`.
 * @returns undefined if it is missing or empty
 */
export function readFileName(parameters: Parameters): string | undefined {
  const byName = new Map(parameters.toReversed());
  const plain = byName.get('filename');
  const extended = byName.get('filename*');
  const pieces = parameters.filter(([name]) => /^filename\*\d+\*?$/.test(name));
  const name =
    (extended === undefined ? undefined : decodeExtended(extended)) ??
    (plain === undefined ? undefined : decodeFormEscapes(plain)) ??
    (pieces.length > 0 ? joinPieces(pieces) : extended);
  return name === '' ? undefined : name;
}

/** The last component of a client's file name, which may be a path of any system, shortened for display. */
export function toShownName(name: string | undefined): string {
  const base = (name?.split(/[/\\]/).at(-1) ?? '').replace(unprintable, '').slice(0, maxNameLength);
  return base === '' || base === '.' || base === '..' ? defaultFileName : base;
}

/** Browsers escape exactly these three (WHATWG HTML, multipart/form-data encoding algorithm). */
function decodeFormEscapes(name: string): string {
  return name.replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replace(/%22/g, '"');
}

/** Decodes `charset'language'percent-encoded`; undefined if it has another form or an unknown charset. */
function decodeExtended(text: string): string | undefined {
  const [, charset = '', encoded = ''] = /^([^']*)'[^']*'(.*)$/su.exec(text) ?? [];
  if (charset === '' || /[^\0-\xFF]/u.test(encoded)) return undefined;
  try {
    return new TextDecoder(charset).decode(decodePercents(encoded));
  } catch {
    return undefined;
  }
}

function decodePercents(text: string): Buffer {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

function joinPieces(pieces: Parameters): string {
  const toIndex = (name: string) => Number(/\d+/.exec(name)?.[0]);
  const ordered = pieces.toSorted(([a], [b]) => toIndex(a) - toIndex(b));
  const text = ordered.map(([, value]) => value).join('');
  return ordered[0]?.[0].endsWith('*') === true ? (decodeExtended(text) ?? text) : text;
}
