/** Lets a signal end this process in the ordinary way, so that what was started is killed on the way out. */
export function exitOnSignal(): void {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(exitCode));
  }
}
