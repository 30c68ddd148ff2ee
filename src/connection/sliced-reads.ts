import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Pipeline } from './pipeline.ts';

/** Holds at most 28 of the shortest requests, each of which costs more than parsing a header in two slices. */
const headerBytes = 512;
/** For bodies of unknown length, which may end anywhere. */
const bodyBytes = 8192;

/** What reading needs of a connection's pipeline. */
type Reading = Pick<Pipeline<never>, 'newest' | 'isDeaf' | 'endSlice' | 'endRead'>;

/**
 * Feeds Node's parser slice by slice. The parser can't be stopped within a chunk, and one of 64 KiB can hold 3,600
 * requests. What is known to be the body of a request is one slice.
 *
 * Called after Node has prepared the connection: it listens to 'data', as it does on any stream.
 */
export function readInSlices(socket: Socket, pipeline: Reading): void {
  const parse = socket.listeners('data');
  for (const listener of parse) socket.removeListener('data', listener as () => void);
  let bodyBytesLeft = 0;
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    let mayParse = !pipeline.isDeaf;
    while (mayParse && rest.length > 0) {
      const { newest } = pipeline;
      const slice = rest.subarray(0, newest?.complete === false ? Math.max(bodyBytes, bodyBytesLeft) : headerBytes);
      rest = rest.subarray(slice.length);
      for (const listener of parse) listener.call(socket, slice);
      bodyBytesLeft = (pipeline.newest === newest ? bodyBytesLeft : toBodyBytes(pipeline.newest)) - slice.length;
      mayParse = pipeline.endSlice();
    }
    if (rest.length > 0 && !pipeline.isDeaf) socket.unshift(rest);
    pipeline.endRead();
  });
}

function toBodyBytes(message: IncomingMessage | undefined): number {
  return message?.complete === false ? Number(message.headers['content-length'] ?? 0) : 0;
}
