import proxyAddress from 'proxy-addr';

/** Whether to trust X-Forwarded-For from an address; `hop` 0 is the peer of the connection. */
export type ProxyTrust = (address: string, hop: number) => boolean;

/** Whether `server.trustProxy` is a list of addresses, CIDRs and named ranges, or one number of hops. */
export function isProxyList(proxies: readonly string[]): boolean {
  if (toHops(proxies) !== undefined) return true;
  // ipaddr.js, which proxy-addr uses, parses a bare number as an IPv4 address.
  if (proxies.some((proxy) => /^\d*$/.test(proxy))) return false;
  try {
    proxyAddress.compile([...proxies]);
    return true;
  } catch {
    return false;
  }
}

/** Creates the predicate of `server.trustProxy`; an empty list trusts no one. */
export function createProxyTrust(proxies: readonly string[]): ProxyTrust {
  const hops = toHops(proxies);
  return hops === undefined ? proxyAddress.compile([...proxies]) : (_address, hop) => hop < hops;
}

function toHops([first = '', ...others]: readonly string[]): number | undefined {
  return others.length === 0 && /^[1-9]\d?$/.test(first) ? Number(first) : undefined;
}
