import { ServiceError } from '../../errors.ts';

/** Control characters, and those that turn the direction of what follows them. */
export const unprintable = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

const maxShownLength = 255;

/** The error of a form that can't be read as its client meant it; `shown` is quoted. */
export function toMalformed(why: string, shown?: string): ServiceError {
  const quoted = shown === undefined ? '' : `: ${quote(shown)}`;
  return new ServiceError('ERR_UPLOAD_MALFORMED', `the form does not parse: ${why}${quoted}`);
}

/** Quotes what a client sent, for an error's detail. */
export function quote(text: string): string {
  const shown = text.replace(unprintable, '\uFFFD');
  return JSON.stringify(shown.length > maxShownLength ? `${shown.slice(0, maxShownLength)}…` : shown);
}
