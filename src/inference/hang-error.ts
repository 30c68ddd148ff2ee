/** A native call exceeded its time limit. */
export class HangError extends Error {
  override readonly name = 'HangError';
}
