/** What the primary does at a signal. */
interface SignalListener {
  /** TERM or INT. */
  readonly onTerminate: () => void;
  /** TERM or INT again. */
  readonly onForce: () => void;
  /** HUP. */
  readonly onHangup: () => void;
}

/** Ctrl-C can arrive twice, from the process group and forwarded by a launcher; within this time it counts once. */
const sameSignalMs = 100;

/** Listens for the operator's signals until the process ends, so that none ever has its default action. */
export function listenToSignals({ onTerminate, onForce, onHangup }: SignalListener): void {
  let firstAt: number | undefined;
  let isForced = false;
  const terminate = () => {
    const nowMs = performance.now();
    if (firstAt === undefined) {
      firstAt = nowMs;
      onTerminate();
    } else if (!isForced && nowMs - firstAt > sameSignalMs) {
      isForced = true;
      onForce();
    }
  };
  process.on('SIGTERM', terminate);
  process.on('SIGINT', terminate);
  process.on('SIGHUP', onHangup);
}
