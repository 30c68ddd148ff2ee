import { ServiceError } from '../errors.ts';

/** Maps anything thrown to an error of the table; unexpected errors become ERR_INTERNAL and show nothing of themselves. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  // Express marks errors of the client (a path that does not decode) with a status.
  if (thrown instanceof Error && 'status' in thrown && thrown.status === 400) {
    return new ServiceError('ERR_REQUEST_INVALID', 'the request does not parse', { cause: thrown });
  }
  return new ServiceError('ERR_INTERNAL', 'internal error; the log has the cause under this request id', {
    cause: thrown,
  });
}
