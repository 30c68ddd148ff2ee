import type { AddressInfo, Server } from 'node:net';
import { exitCodes, ExitError, toMessage } from '../errors.ts';

/** Where a server listens. */
interface Endpoint {
  /** Section of the configuration, for error messages. */
  readonly option: 'server' | 'ops';
  readonly host: string;
  readonly port: number;
  readonly backlog?: number;
}

/**
 * Starts listening.
 * @returns the port; a free one for port 0
 * @throws ExitError 75 when the port is in use, 78 when the address can't be used.
 */
export async function listen(server: Server, { option, host, port, backlog }: Endpoint): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ...(backlog === undefined ? {} : { backlog }) }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    throw toExitError(error, { option, host, port });
  }
  return (server.address() as AddressInfo).port;
}

function toExitError(error: unknown, { option, host, port }: Endpoint): ExitError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new ExitError(exitCodes.portInUse, `port ${String(port)} is in use (${option}.port)`, { cause: error });
  }
  const what =
    code === 'EACCES'
      ? `port ${String(port)} needs more rights than this user has (${option}.port)`
      : `can't listen on ${host} (${option}.host): ${toMessage(error)}`;
  return new ExitError(exitCodes.configuration, what, { cause: error });
}
