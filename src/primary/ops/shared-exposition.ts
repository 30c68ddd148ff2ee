/** Least time between two merges: a scraper asks every few seconds, and a flood of requests must cost the primary little. */
const maxAgeMs = 1000;

/** Creates what reads the exposition: callers share the merge in flight, then its text for up to a second. */
export function createSharedExposition(merge: () => Promise<string>): () => Promise<string> {
  let shared: Promise<string> | undefined;
  let expiresAt = Infinity;
  return () => {
    if (shared !== undefined && performance.now() < expiresAt) return shared;
    expiresAt = Infinity;
    shared = merge();
    shared.then(
      () => {
        expiresAt = performance.now() + maxAgeMs;
      },
      () => {
        // A failure is told to those who waited for it, not kept.
        shared = undefined;
      },
    );
    return shared;
  };
}
