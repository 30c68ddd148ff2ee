/** What signals ask of the primary. */
interface SignalListener {
  /** TERM or INT. */
  readonly onTerminate: () => void;
  /** TERM or INT again. */
  readonly onForce: () => void;
  /** HUP. */
  readonly onHangup: () => void;
}

/** A terminal's Ctrl-C may come twice, from the group and passed on by a launcher: that is one signal. */
const sameSignalMs = 100;

/** Listens to the operator's signals until the process is gone: at no moment may one end it by its default action. */
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
