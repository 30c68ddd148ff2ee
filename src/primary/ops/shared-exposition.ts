/** Minimum time between two merges, so that a flood of requests costs the primary little. */
const maxAgeMs = 1000;

/** Creates the reader of the exposition: callers share the merge in flight, then its text for up to a second. */
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
        // A failure reaches only those who waited for it.
        shared = undefined;
      },
    );
    return shared;
  };
}
