import { SingleBar } from 'cli-progress';

/** Shows the progress of each phase: a bar on a terminal, otherwise one line per phase. */
export interface PhaseBar {
  readonly update: (phase: string, done: number, total: number, more?: Readonly<Record<string, string>>) => void;
  readonly stop: () => void;
}

/** @param format in cli-progress syntax, with `{phase}` and the values passed to `update` */
export function createPhaseBar(format = '{phase} {bar} {value}/{total}'): PhaseBar {
  const bar = new SingleBar({ format });
  let lastPhase = '';
  return {
    update(phase, done, total, more = {}) {
      if (phase !== lastPhase && !process.stderr.isTTY) process.stderr.write(`${phase}\n`);
      if (phase !== lastPhase) bar.start(total, 0, { ...more, phase });
      lastPhase = phase;
      bar.update(done, { ...more, phase });
    },
    stop() {
      bar.stop();
    },
  };
}
