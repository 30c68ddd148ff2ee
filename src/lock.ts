import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Why a lock can't be had. */
export class LockError extends Error {
  override readonly name = 'LockError';
}

/** Between two looks where the holder can't be connected to, because it comes or goes in this moment. */
const retryMs = 50;

/** How long and how a lock is waited for. */
export interface LockOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Told once, when another process holds the lock. */
  readonly onWait: () => void;
}

/** A lock that this process holds until `release`, or until it dies. */
export interface Lock {
  readonly release: () => void;
}

/**
 * Takes the machine-wide lock `name`: a listening socket in Linux' abstract namespace, which the kernel
 * releases however its holder ends. Waiters stay connected to the holder and see that at once.
 * @throws LockError when another process holds it longer than `timeoutMs`; the signal's reason after an abort.
 */
export async function acquireLock(name: string, options: LockOptions): Promise<Lock> {
  const address = `\0${name}`;
  const deadline = performance.now() + options.timeoutMs;
  for (let isFirst = true; ; isFirst = false) {
    options.signal.throwIfAborted();
    const lock = await tryToListen(address);
    if (lock !== undefined) {
      return lock;
    }
    if (isFirst) {
      options.onWait();
    }
    await waitForRelease(address, deadline, options.signal);
    if (performance.now() >= deadline) {
      throw new LockError('another process has held the lock for too long');
    }
  }
}

function tryToListen(address: string): Promise<Lock | undefined> {
  const waiting = new Set<Socket>();
  const server: Server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => undefined).on('close', () => waiting.delete(socket));
  });
  const release = (): void => {
    server.close();
    for (const socket of waiting) {
      socket.destroy();
    }
  };
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(undefined);
      } else {
        reject(new LockError(`can't lock: ${error.message}`, { cause: error }));
      }
    });
    server.listen({ path: address, exclusive: true }, () => {
      resolve({ release });
    });
  });
}

async function waitForRelease(address: string, deadline: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) {
    return;
  }
  const isHeld = await new Promise<boolean>((resolve) => {
    let isConnected = false;
    const socket = connect(address, () => (isConnected = true));
    const giveUp = (): void => {
      socket.destroy();
    };
    const timer = setTimeout(giveUp, deadline - performance.now());
    signal.addEventListener('abort', giveUp);
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      resolve(isConnected);
    });
  });
  if (!isHeld) {
    await delay(retryMs);
  }
}
