// What a worker finds among its open files, behind its streams and its channel (3).

/** The journal of what native code works on. */
export const journalDescriptor = 4;

/** The primary's stderr and stdout, for the logs; a worker's own are pipes to the primary, for what native code writes. */
export const eventsDescriptor = 5;
export const accessDescriptor = 6;
