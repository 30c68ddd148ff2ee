import { toDeadlineEnd, watchDeadline } from '../deadline.ts';
import { DecodePlaces, type Visitor } from './decode-places.ts';
import { toGivenUp, toTooSlow } from './failures.ts';
import { startNativeWatch } from './native-watch.ts';
import type { DecodeBudget, DecodeLimits, DecodeWatch } from './types.ts';

/** A native call. */
export interface DecodeWork {
  /** Whether the picture is a plain JPEG. */
  readonly isPlain: boolean;
  /** Of the picture; 0 where only its header is read. */
  readonly pixels: number;
  readonly library: 'libvips' | 'libjpeg';
}

/** What a decode knows about its turn. */
export interface DecodeTurn {
  /**
   * Precedes each native call.
   * @throws ERR_DECODE_TIMEOUT, ERR_DEADLINE when the caller is gone
   */
  readonly assertWanted: () => void;
  /** The library's own timeout in seconds, longer than the budget, which excludes waits for a CPU. */
  readonly maxSeconds: number;
  /**
   * Watches for company from now on: libvips has one buffer for messages, and mixes up those of concurrent failures.
   * @returns whether libvips worked on nothing else meanwhile
   */
  readonly watchCompany: () => () => boolean;
}

/** Limits how many native calls run at a time. */
interface DecodeGate {
  /**
   * Runs `decode` when it is its turn, unless the caller is gone by then.
   * @throws ERR_DEADLINE when the caller is gone, ERR_DECODE_TIMEOUT when the budget of the picture is used up.
   */
  run<T>(
    work: DecodeWork,
    limits: DecodeLimits,
    watch: DecodeWatch,
    decode: (turn: DecodeTurn) => Promise<T>,
  ): Promise<T>;
}

/** A turn, waiting or running. */
interface Call {
  readonly work: DecodeWork;
  readonly limits: DecodeLimits;
  readonly watch: DecodeWatch;
  readonly budget: DecodeBudget;
  /** Whether libvips worked on no other picture since it began. */
  isAlone: boolean;
  /** Calls of libvips that began beside it. */
  disturbances: number;
  isLate: boolean;
  /** When the budget ends by the clock, on that of `performance.now()`; Infinity while it waits for its turn. */
  dueAt: number;
}

/**
 * Creates a gate for one process. Without it the decodes of a burst would share the CPU and all run out of time, and
 * fill libuv's four threads, which files and name look-ups need too.
 */
export function createDecodeGate(): DecodeGate {
  const places = new DecodePlaces();
  const calls = new Set<Call>();
  return {
    run: (work, limits, watch, decode) =>
      new Promise((resolve, reject) => {
        const budget = watch.budget ?? { leftMs: limits.decodeTimeoutMs };
        const call: Call = {
          work,
          limits,
          watch,
          budget,
          isAlone: true,
          disturbances: 0,
          isLate: false,
          dueAt: Infinity,
        };
        const stopWaiting = watchDeadline(watch, (end) => {
          // A busy machine held it up: its budget, which leaves out waits for a CPU, outlasts the deadline.
          const isOverdue = end === 'deadline' && performance.now() >= call.dueAt;
          reject(isOverdue ? toTooSlow(limits.decodeTimeoutMs) : toGivenUp(end));
          places.giveUp(visitor);
        });
        const onLate = (): void => {
          call.isLate = true;
          reject(toTooSlow(limits.decodeTimeoutMs));
          if (call.isAlone) watch.onTooSlow?.();
          places.noteLate(visitor);
        };
        const start = (): void => {
          // The place is held until the native call returns, even if the caller is gone: the call still has its thread.
          void followNative(call, calls, decode, onLate)
            .then(resolve, reject)
            .finally(() => {
              stopWaiting();
              places.leave(visitor);
            });
        };
        const shares = work.pixels > limits.maxPixels / 2 ? 2 : 1;
        const visitor: Visitor = { ...work, shares, start };
        places.enter(visitor);
      }),
  };
}

/** All pictures of this process go through it. */
export const decodeGate = createDecodeGate();

async function followNative<T>(
  call: Call,
  calls: Set<Call>,
  decode: (turn: DecodeTurn) => Promise<T>,
  onLate: () => void,
): Promise<T> {
  const { limits, watch, budget } = call;
  assertWanted(call);
  noteCompany(call, calls);
  calls.add(call);
  call.dueAt = performance.now() + budget.leftMs;
  const leave = watch.enter?.();
  const stopWatch = startNativeWatch({
    leftMs: budget.leftMs,
    limitMs: limits.decodeTimeoutMs,
    onLate,
    onHung: () => watch.onHung?.(),
  });
  try {
    return await decode({
      assertWanted: () => {
        assertWanted(call);
      },
      maxSeconds: Math.ceil((2 * budget.leftMs) / 1000),
      watchCompany: () => watchCompany(call, calls),
    });
  } finally {
    budget.leftMs -= stopWatch();
    leave?.();
    calls.delete(call);
  }
}

function watchCompany(call: Call, calls: ReadonlySet<Call>): () => boolean {
  const hasCompany = [...calls].some((other) => other !== call && other.work.library === 'libvips');
  const { disturbances } = call;
  return () => !hasCompany && call.disturbances === disturbances;
}

/** Other work on the same picture does not count as company: both may be slow for the same reason. */
function noteCompany(call: Call, others: ReadonlySet<Call>): void {
  for (const other of others) {
    if (call.work.library === 'libvips') other.disturbances += 1;
    const { imageHash } = other.watch;
    if (imageHash !== undefined && imageHash === call.watch.imageHash) continue;
    if (other.work.library === 'libvips') call.isAlone = false;
    if (call.work.library === 'libvips') other.isAlone = false;
  }
}

function assertWanted({ limits, watch, budget, isLate }: Call): void {
  if (isLate || budget.leftMs <= 0) throw toTooSlow(limits.decodeTimeoutMs);
  const end = toDeadlineEnd(watch);
  if (end !== undefined) throw toGivenUp(end);
}
