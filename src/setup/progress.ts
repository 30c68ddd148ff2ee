/** One step of the setup. */
export interface Step {
  readonly title: string;
  /** Measures the finished share, 0 to 1. */
  readonly measure: () => Promise<number>;
}

/** Shows the steps of the setup while they run. */
export interface Progress {
  readonly say: (text: string) => void;
  readonly runStep: <T>(step: Step, work: () => Promise<T>) => Promise<T>;
}

export type ProgressKind = 'bar' | 'lines' | 'none';

const redrawMs = 200;

/** Creates a progress display on stderr; without a terminal a bar becomes lines. */
export function createProgress(kind: ProgressKind): Progress {
  const say = (text: string): void => {
    if (kind !== 'none') {
      process.stderr.write(`image-check: ${text}\n`);
    }
  };
  if (kind === 'bar' && process.stderr.isTTY) {
    return { say, runStep: runWithBar };
  }
  return {
    say,
    runStep: (step, work) => {
      say(step.title);
      return work();
    },
  };
}

async function runWithBar<T>(step: Step, work: () => Promise<T>): Promise<T> {
  // Loaded on demand: a service with nothing to set up never needs it.
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar(
    {
      format: 'image-check: {title} [{bar}] {percentage}%',
      // Signals end the setup through its own abort.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0, { title: step.title });
  const timer = setInterval(() => {
    step.measure().then(
      (share) => {
        bar.update(Math.min(share, 1));
      },
      () => undefined, // The files may have just vanished; only the step's own result counts.
    );
  }, redrawMs);
  try {
    const result = await work();
    bar.update(1);
    return result;
  } finally {
    clearInterval(timer);
    bar.stop();
  }
}
