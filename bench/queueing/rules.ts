import { Admission, type Permit } from '../../src/check/admission.ts';
import { noDeadline } from '../../src/deadline.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Picture, Rule } from './worker.ts';

/** The defaults of the service: `check.queueSize`, and a batch and two decodes in progress. */
const queueSize = 64;
const concurrency = 10;
export const deadlineMs = 10_000;

/** The service's own rule. It reads the clock of `performance.now()`. */
export function createAdmissionRule(): Rule {
  const admission = new Admission(queueSize, concurrency, deadlineMs);
  const permits = new Map<Picture, Permit>();
  const leave = (picture: Picture): void => {
    permits.get(picture)?.release();
    permits.delete(picture);
  };
  return {
    admit: (picture, nowMs) => {
      try {
        permits.set(picture, admission.admit(1, { ...noDeadline, deadlineAt: nowMs + deadlineMs }));
        return true;
      } catch (thrown) {
        if (thrown instanceof ServiceError) return false;
        throw thrown;
      }
    },
    isShed: (picture) => permits.get(picture)?.signal.aborted === true,
    noteDone: leave,
    noteDropped: leave,
  };
}

/** A queue of bounded length and nothing else. */
export function createLengthRule(limit = queueSize + concurrency): Rule {
  let inside = 0;
  const leave = (): void => {
    inside -= 1;
  };
  return {
    admit: () => {
      if (inside >= limit) return false;
      inside += 1;
      return true;
    },
    noteDone: leave,
    noteDropped: leave,
  };
}

/** CoDel (RFC 8289): drops who is taken from the queue after waiting for longer than a target all through an interval. */
export function createCoDelRule(targetMs: number, intervalMs: number): Rule {
  let aboveSince: number | undefined;
  let drops = 0;
  let nextDropAt = Infinity;
  const isToDrop = ({ arrivedAt }: Picture, nowMs: number): boolean => {
    if (nowMs - arrivedAt < targetMs) {
      aboveSince = undefined;
      nextDropAt = Infinity;
      return false;
    }
    aboveSince ??= nowMs;
    if (nextDropAt === Infinity) {
      if (nowMs - aboveSince < intervalMs) return false;
      // A drop soon after the last phase goes on where that left off.
      drops = drops > 2 ? drops - 2 : 1;
      nextDropAt = nowMs + intervalMs / Math.sqrt(drops);
      return true;
    }
    if (nowMs < nextDropAt) return false;
    drops += 1;
    nextDropAt += intervalMs / Math.sqrt(drops);
    return true;
  };
  return {
    ...createLengthRule(),
    choose: (waiting, nowMs, drop) => {
      for (const picture of [...waiting]) {
        if (!isToDrop(picture, nowMs)) return picture;
        drop(picture);
      }
      return undefined;
    },
  };
}

/** Adaptive LIFO with CoDel's timeout, as Facebook has it: with a standing queue the newest is first, old ones are dropped. */
export function createAdaptiveLifoRule(targetMs: number, intervalMs: number): Rule {
  let emptyAt = 0;
  return {
    ...createLengthRule(),
    choose: (waiting, nowMs, drop) => {
      if (waiting.length === 0) emptyAt = nowMs;
      if (nowMs - emptyAt < intervalMs) return waiting[0];
      for (const picture of [...waiting]) if (nowMs - picture.arrivedAt > targetMs) drop(picture);
      return waiting.at(-1);
    },
  };
}

/** The gradient limit of Netflix's concurrency-limits (Gradient2 and its defaults). */
export function createGradientRule(): Rule {
  const [initialLimit, minLimit, maxLimit, tolerance, smoothing, window] = [20, 20, 200, 1.5, 0.2, 600];
  let limit = initialLimit;
  let inside = 0;
  let longMs = 0;
  let samples = 0;
  const leave = (): void => {
    inside -= 1;
  };
  return {
    admit: () => {
      if (inside >= Math.floor(limit)) return false;
      inside += 1;
      return true;
    },
    noteDone: ({ arrivedAt }, nowMs) => {
      const shortMs = nowMs - arrivedAt;
      samples += 1;
      longMs += (shortMs - longMs) * (samples <= 10 ? 1 / samples : 2 / (window + 1));
      if (longMs / shortMs > 2) longMs *= 0.95;
      if (inside >= limit / 2) {
        const gradient = Math.max(0.5, Math.min(1, (tolerance * longMs) / shortMs));
        const next = limit * gradient + 4;
        limit = Math.max(minLimit, Math.min(maxLimit, limit * (1 - smoothing) + next * smoothing));
      }
      leave();
    },
    noteDropped: leave,
  };
}
