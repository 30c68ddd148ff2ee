import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DrainReason, ToPrimary } from '../ipc/messages.ts';

/**
 * A client that sends on a kept connection while it is closed sees a reset. When another worker has taken over, busy
 * clients get time to receive `Connection: close` with their next answer.
 */
const lingerMs = { shutdown: 0, replaced: 1000 } as const;
const pollMs = 20;

/** The clients' connections that the primary handed to this worker. */
export class Connections {
  readonly #send: (message: ToPrimary) => void;
  readonly #open = new Set<Socket>();

  constructor(send: (message: ToPrimary) => void) {
    this.#send = send;
  }

  /** Serves a connection; there is no socket if the client left while it was passed over. */
  serve(id: number, socket: Socket | undefined, server: Server | undefined): void {
    this.#send({ type: 'accepted', id });
    if (!socket || !server) {
      socket?.destroy();
      this.#send({ type: 'closed', id });
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#send({ type: 'closed', id });
    });
    server.emit('connection', socket);
  }

  /** Resolves when every connection has ended; those without a request are closed. */
  async drain(server: Server, because: DrainReason): Promise<void> {
    await delay(lingerMs[because]);
    while (this.#open.size > 0) {
      server.closeIdleConnections();
      // The server takes a connection that never sent a byte for a busy one.
      for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
      await delay(pollMs);
    }
  }
}
