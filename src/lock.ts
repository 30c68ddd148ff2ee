import { closeSync, constants, linkSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toMessage } from './errors.ts';

/** Why a lock can't be acquired. */
export class LockError extends Error {
  override readonly name = 'LockError';
}

/** Time between two tries while the holder can't be connected to because it is starting or ending. */
const retryMs = 50;

/** How to wait for a lock. */
export interface LockOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Called once when another process holds the lock. */
  readonly onWait: () => void;
}

/** A lock that this process holds until `release`, or until it dies. */
export interface Lock {
  readonly release: () => void;
}

/**
 * Takes the lock `name` in a folder that only its owner can enter: no other user can take or block it. The lock is a
 * listening socket, which the kernel closes however its holder ends; waiters stay connected to it and notice at once.
 *
 * A socket's file outlives its holder, and two processes that both remove it could both hold the lock. So it is never
 * reused: each holder links its socket as the next number, and the kernel lets only one link each number.
 * @param folder created with mode 0700 if missing; not on a network file system
 * @throws LockError when another process holds it longer than `timeoutMs`, or the folder can't be used; the signal's reason
 * after an abort.
 */
export async function acquireLock(folder: string, name: string, options: LockOptions): Promise<Lock> {
  const descriptor = openFolder(folder);
  // A socket's address has 107 bytes at most, which the folder's own path may exceed.
  const place = `/proc/self/fd/${String(descriptor)}`;
  const deadline = performance.now() + options.timeoutMs;
  try {
    for (let isFirst = true; ; isFirst = false) {
      options.signal.throwIfAborted();
      const latest = findLatest(folder, name);
      const holder = latest === undefined ? 'gone' : await connectTo(`${place}/${toFile(name, latest)}`);
      const lock = holder === 'gone' ? await tryToHold(folder, place, name, (latest ?? 0) + 1) : undefined;
      if (lock !== undefined) return lock;
      if (isFirst && holder !== 'gone') options.onWait();
      if (typeof holder === 'string') await delay(retryMs);
      else await waitForEnd(holder, deadline, options.signal);
      if (performance.now() >= deadline) throw new LockError('another process has held the lock for too long');
    }
  } finally {
    closeSync(descriptor);
  }
}

function openFolder(folder: string): number {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`${folder} is open to other users`);
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw new LockError(`can't lock: ${toMessage(cause)}`, { cause });
  }
}

function toFile(name: string, number: number): string {
  return `${name}.${String(number)}`;
}

/** The highest number that was ever linked: the current or the last holder. */
function findLatest(folder: string, name: string): number | undefined {
  const numbers = listNumbers(folder, name);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function listNumbers(folder: string, name: string): number[] {
  return readdirSync(folder).flatMap((file) => {
    const number = file.startsWith(`${name}.`) ? file.slice(name.length + 1) : '';
    return /^\d+$/.test(number) ? [Number(number)] : [];
  });
}

/** Connects to the holder; `gone` if it no longer listens, `busy` if that is not known yet. */
function connectTo(address: string): Promise<Socket | 'gone' | 'busy'> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      resolve(socket);
    });
    socket.resume().on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'gone' : 'busy');
    });
  });
}

async function tryToHold(folder: string, place: string, name: string, number: number): Promise<Lock | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => undefined).on('close', () => waiting.delete(socket));
  });
  const release = (): void => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
  const own = `${name}.own-${String(process.pid)}-${String(Math.random()).slice(2)}`;
  try {
    await listen(server, `${place}/${own}`);
    linkSync(path.join(folder, own), path.join(folder, toFile(name, number)));
  } catch (thrown) {
    release();
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return undefined;
    throw new LockError(`can't lock: ${toMessage(thrown)}`, { cause: thrown });
  } finally {
    rmSync(path.join(folder, own), { force: true });
  }
  const numbers = listNumbers(folder, name);
  // Another process has taken and released the lock since the list was read.
  if (numbers.some((other) => other > number)) {
    release();
    return undefined;
  }
  // The last one stays: a process that lists the folder now must find a number to continue from.
  for (const old of numbers.filter((other) => other < number - 1)) {
    rmSync(path.join(folder, toFile(name, old)), { force: true });
  }
  return { release };
}

function listen(server: ReturnType<typeof createServer>, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: address, exclusive: true }, resolve);
  });
}

async function waitForEnd(holder: Socket, deadline: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const giveUp = (): void => {
      holder.destroy();
    };
    const timer = setTimeout(giveUp, deadline - performance.now());
    signal.addEventListener('abort', giveUp);
    holder.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
    if (signal.aborted) giveUp();
  });
}
