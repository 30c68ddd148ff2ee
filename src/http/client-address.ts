import { isIP } from 'node:net';
import type { Request } from 'express';

/** The client's address as forwarded by trusted proxies; some of them append its port. */
export function toClientAddress(request: Request): string | undefined {
  const { remoteAddress } = request.socket;
  // The socket is closed: Express would throw.
  if (remoteAddress === undefined) return undefined;
  const { ip = '' } = request;
  const address = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(ip)?.slice(1).find(Boolean) ?? ip;
  return isIP(address) === 0 ? remoteAddress : address;
}
