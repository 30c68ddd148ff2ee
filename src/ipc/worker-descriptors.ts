// Descriptors that a worker inherits, after its streams (0 to 2) and its channel (3).

/** The in-flight journal. */
export const journalDescriptor = 4;

/** The primary's stderr and stdout, for the logs; a worker's own are pipes to the primary, for the output of native code. */
export const eventsDescriptor = 5;
export const accessDescriptor = 6;
