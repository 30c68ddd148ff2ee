import type { Exchange } from '../exchange.ts';
import { type BodyLimits, startBodyWatch } from './body-watch.ts';
import { createByteCollector } from './byte-collector.ts';

/** Expected where no length was announced: as much as one read of a socket brings. */
const unannouncedBytes = 65_536;

/**
 * Reads a body that is one image.
 * @throws {@link ServiceError} where it breaks off, is too large or too slow.
 */
export async function readRawBody(exchange: Exchange, limits: BodyLimits): Promise<Uint8Array> {
  const { request } = exchange;
  const collector = createByteCollector(Number(request.headers['content-length'] ?? unannouncedBytes));
  const watch = startBodyWatch(exchange, limits);
  request.on('data', collector.append);
  try {
    await watch.whole;
  } finally {
    request.off('data', collector.append);
    watch.stop();
  }
  return collector.toBytes();
}
