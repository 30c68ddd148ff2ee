/** Native TensorFlow is unavailable on this machine; `message` is one line for the user. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';

  constructor(reason: string, options: { cause?: unknown } = {}) {
    super(toLine(reason), options);
  }
}

/** Shortens a text to one line of a log. */
export function toLine(text: string): string {
  const maxCharacters = 300;
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > maxCharacters ? `${line.slice(0, maxCharacters)}…` : line;
}
