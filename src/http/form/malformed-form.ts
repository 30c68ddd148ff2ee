import { ServiceError } from '../../errors.ts';
import { unprintable } from '../../public-text.ts';

const maxShownLength = 255;

/** The error for a form that can't be read unambiguously; `shown` is quoted. */
export function toMalformed(why: string, shown?: string): ServiceError {
  const quoted = shown === undefined ? '' : `: ${quote(shown)}`;
  return new ServiceError('ERR_UPLOAD_MALFORMED', `the form does not parse: ${why}${quoted}`);
}

/** Quotes client input for an error's detail. */
export function quote(text: string): string {
  const shown = text.replace(unprintable, '\uFFFD');
  return JSON.stringify(shown.length > maxShownLength ? `${shown.slice(0, maxShownLength)}…` : shown);
}
