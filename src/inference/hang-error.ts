/** Native work did not come back in its time. */
export class HangError extends Error {
  override readonly name = 'HangError';
}
