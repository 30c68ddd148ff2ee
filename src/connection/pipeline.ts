import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { startInTurn } from './turn-queue.ts';

/** Requests of one connection that are handled at once; at this number the socket is not read. */
const maxOpen = 8;
/** Requests that may wait behind them; one read of a socket can bring thousands. */
const maxWaiting = 8;

/** A request that is being answered. */
export interface OpenRequest {
  /** Aborted when the connection can bring no more of the request. */
  readonly cutOff: AbortController;
}

/** Creates a lookup of each connection's pipeline, which is created on first use. */
export function createPipelines<Request extends OpenRequest>(): (socket: Socket) => Pipeline<Request> {
  const pipelines = new WeakMap<Socket, Pipeline<Request>>();
  return (socket) => {
    const known = pipelines.get(socket);
    if (known !== undefined) return known;
    const pipeline = new Pipeline<Request>(socket);
    pipelines.set(socket, pipeline);
    return pipeline;
  };
}

/** The requests of one connection in their order: HTTP/1.1 lets a client send many without reading an answer. */
export class Pipeline<Request extends OpenRequest> {
  readonly #socket: Socket;
  /** Each with the function that closes it. */
  readonly #open = new Map<Request, () => void>();
  readonly #waiting: (() => void)[] = [];
  /** Why the socket is not read. */
  readonly #pauses = new Set<'full' | 'unread answer'>();
  /** Node paused the socket while it parsed, and fails when anyone else resumes it. */
  #isPausedByParser = false;
  #isStarting = false;
  #newest: IncomingMessage | undefined;
  #hasEnded = false;
  /** The client sent more than may wait: only open requests are answered, then the connection closes. */
  #hasOverflowed = false;
  #onEmpty: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.once('close', () => {
      this.#waiting.length = 0;
      // Node closes only the response whose turn it is; those behind it would stay open.
      for (const close of [...this.#open.values()]) close();
    });
    // Reading a body resumes the socket, and so does Node when an answer has left.
    socket.on('resume', () => {
      this.#isPausedByParser = false;
      if (this.#pauses.size > 0) socket.pause();
    });
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** The request whose answer is next. */
  get first(): Request | undefined {
    return this.#open.keys().next().value;
  }

  /** The request that came last, unless it waits. */
  get latest(): Request | undefined {
    return this.#waiting.length > 0 ? undefined : [...this.#open.keys()].at(-1);
  }

  /** The message whose header came last, even if its request waits. */
  get newest(): IncomingMessage | undefined {
    return this.#newest;
  }

  /** Whether nothing more of the connection is parsed. */
  get isDeaf(): boolean {
    return this.#hasEnded || this.#hasOverflowed || this.#socket.destroyed;
  }

  /** Whether the connection has to close behind a request because what followed it was dropped. */
  isLast(request: Request): boolean {
    return this.#hasOverflowed && this.latest === request;
  }

  /** Starts a request at once if it is the only one, else in a later turn of the event loop. */
  enter(message: IncomingMessage, start: () => void): void {
    if (this.#hasOverflowed) return;
    this.#newest = message;
    if (this.#size >= maxOpen + maxWaiting) {
      this.#hasOverflowed = true;
      this.#waiting.length = 0;
    } else if (this.isEmpty) {
      start();
    } else {
      this.#waiting.push(start);
      this.#startLater();
    }
  }

  /** Called after each parsed slice. @returns whether more may be parsed */
  endSlice(): boolean {
    this.#isPausedByParser = this.#socket.isPaused();
    return !this.#isPausedByParser && !this.isDeaf;
  }

  /** Stops reading while enough requests are open or wait, but reads the body of the newest to its end. */
  endRead(): void {
    if (this.#isFull && this.#newest?.complete === true) this.#pause('full');
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
    if (this.#waiting.length > 0) this.#startLater();
    if (!this.#isFull && !this.isDeaf) this.#resume('full');
    if (!this.isEmpty) return;
    this.#onEmpty?.();
    // If the last answer was written before the overflow, it did not announce the close.
    if (this.#hasOverflowed) this.#socket.destroySoon();
  }

  /** Called when the connection brings no further request: open ones are answered, then `onEmpty` is called. */
  end(onEmpty: () => void): void {
    this.#hasEnded = true;
    this.#onEmpty = onEmpty;
    this.latest?.cutOff.abort();
    if (this.isEmpty) onEmpty();
  }

  /** Closes the connection unless its client reads something of its answer within `timeoutMs`. */
  awaitReader(timeoutMs: number): void {
    // A client that sends without reading would look alive.
    this.#pause('unread answer');
    // Node restarts this timer whenever the kernel takes bytes, and destroys the socket when it fires.
    this.#socket.setTimeout(timeoutMs);
  }

  get #size(): number {
    return this.#open.size + this.#waiting.length;
  }

  get #isFull(): boolean {
    return this.#size >= maxOpen;
  }

  #startLater(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    startInTurn(() => {
      this.#isStarting = false;
      if (this.#open.size >= maxOpen || this.#socket.destroyed) return;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#startLater();
    });
  }

  #pause(reason: 'full' | 'unread answer'): void {
    this.#pauses.add(reason);
    this.#socket.pause();
  }

  #resume(reason: 'full' | 'unread answer'): void {
    if (!this.#pauses.delete(reason)) return;
    // Node has set its own for an idle connection.
    if (reason === 'unread answer' && !this.isEmpty) this.#socket.setTimeout(0);
    if (this.#pauses.size === 0 && !this.#isPausedByParser) this.#socket.resume();
  }
}
