import type { Socket } from 'node:net';

/** Requests of one connection that are handled at one time; at this number the socket is not read. */
const maxOpen = 8;
/** Requests that may wait behind them: one read of a socket can bring two thousand. */
const maxWaiting = 56;

/** A request that is being answered. */
interface OpenRequest {
  /** Aborted when the connection can bring no more of the request. */
  readonly cutOff: AbortController;
}

/** The requests of one connection in their order: HTTP/1.1 lets a client send many without reading an answer. */
export class Pipeline<Request extends OpenRequest> {
  readonly #socket: Socket;
  /** Each with the function that closes it. */
  readonly #open = new Map<Request, () => void>();
  readonly #waiting: (() => void)[] = [];
  /** Why the socket is not read. */
  readonly #pauses = new Set<'full' | 'unread answer'>();
  #hasEnded = false;
  /** The client sent more than may wait: what follows is dropped, and the connection closes behind the last that waits. */
  #hasOverflowed = false;
  #onEmpty: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.once('close', () => {
      this.#waiting.length = 0;
      // Node closes only the response whose turn it is; those behind it would stay open.
      for (const close of [...this.#open.values()]) close();
    });
    // Reading a body resumes the socket.
    socket.on('resume', () => {
      if (this.#pauses.size > 0) socket.pause();
    });
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** The request whose answer is next. */
  get first(): Request | undefined {
    return this.#open.keys().next().value;
  }

  /** The request that came last, unless it waits. */
  get latest(): Request | undefined {
    return this.#waiting.length > 0 ? undefined : [...this.#open.keys()].at(-1);
  }

  /** Whether the connection has to close behind a request because what followed it was dropped. */
  isLast(request: Request): boolean {
    return this.#hasOverflowed && this.latest === request;
  }

  /** Starts a request, or lets it wait while too many are open. */
  enter(start: () => void): void {
    if (this.#hasOverflowed) return;
    if (this.#open.size < maxOpen) start();
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(start);
    else this.#hasOverflowed = true;
    if (this.#open.size >= maxOpen) this.#pause('full');
  }

  /** Adds a started request; `close` is called when the connection closes before its answer is written. */
  add(request: Request, close: () => void): void {
    this.#open.set(request, close);
    if (this.#hasEnded) this.latest?.cutOff.abort();
  }

  /** Removes an answered request and starts the next one that waits. */
  remove(request: Request): void {
    this.#open.delete(request);
    if (this.#socket.destroyed) return;
    this.#resume('unread answer');
    this.#waiting.shift()?.();
    if (this.#open.size < maxOpen && !this.#hasOverflowed) this.#resume('full');
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  /** The connection brings no further request: those that came are answered, then `onEmpty` is called. */
  end(onEmpty: () => void): void {
    this.#hasEnded = true;
    this.#onEmpty = onEmpty;
    this.latest?.cutOff.abort();
    if (this.#open.size === 0) onEmpty();
  }

  /** Closes the connection unless its client reads something of its answer within `timeoutMs`. */
  awaitReader(timeoutMs: number): void {
    // A client that sends on without reading would seem alive.
    this.#pause('unread answer');
    // Node restarts this timer whenever the kernel takes bytes, and destroys the socket when it fires.
    this.#socket.setTimeout(timeoutMs);
  }

  #pause(reason: 'full' | 'unread answer'): void {
    this.#pauses.add(reason);
    this.#socket.pause();
  }

  #resume(reason: 'full' | 'unread answer'): void {
    if (!this.#pauses.delete(reason)) return;
    // Node has set its own for an idle connection.
    if (reason === 'unread answer' && this.#open.size + this.#waiting.length > 0) this.#socket.setTimeout(0);
    if (this.#pauses.size === 0) this.#socket.resume();
  }
}
