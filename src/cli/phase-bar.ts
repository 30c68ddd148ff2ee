import { SingleBar } from 'cli-progress';

/** Shows how far each phase of a long work is: a bar on a terminal, elsewhere one line a phase. */
export interface PhaseBar {
  readonly update: (phase: string, done: number, total: number, more?: Readonly<Record<string, string>>) => void;
  readonly stop: () => void;
}

/** @param format as cli-progress has it; `{phase}` and what `update` is given can be in it */
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
