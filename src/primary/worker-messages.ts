import type { ToPrimary, WorkerSnapshot } from '../ipc/messages.ts';
import { createRouter } from '../ipc/router.ts';
import type { Dispatcher, Recipient } from './dispatch/dispatcher.ts';
import type { OpsAnswerer } from './ops/ops-answers.ts';
import type { Quarantine } from './supervise/quarantine.ts';
import type { WorkerHandle } from './supervise/worker-handle.ts';

/** A worker as far as its messages go. */
export type Sender = Recipient & Pick<WorkerHandle, 'sendStart' | 'giveUp'>;

/** What acts on the messages of workers. */
export interface Receivers<Worker extends Sender> {
  readonly supervisor: {
    readonly recordListening: (worker: Worker) => void;
    readonly recordSnapshot: (worker: Worker, snapshot: WorkerSnapshot) => void;
    readonly replaceHung: (worker: Worker, reason: string) => Promise<void>;
  };
  readonly dispatcher: Pick<Dispatcher, 'acknowledge' | 'resend' | 'forget' | 'rebalance'>;
  readonly quarantine: Pick<Quarantine, 'recordStrike' | 'clear' | 'toState'>;
  readonly answerOps: OpsAnswerer;
  /** A worker listens or has reported: it may take connections. */
  readonly onProgress: () => void;
}

/** Creates the router of what workers send to the primary. */
export function createWorkerRouter<Worker extends Sender>(
  receivers: Receivers<Worker>,
): (message: ToPrimary, worker: Worker) => void {
  const { supervisor, dispatcher, quarantine, answerOps, onProgress } = receivers;
  return createRouter<ToPrimary, Worker>({
    hello: (_message, worker) => {
      worker.sendStart();
      worker.send({ type: 'quarantine', state: quarantine.toState() });
    },
    listening: (_message, worker) => {
      supervisor.recordListening(worker);
      onProgress();
    },
    snapshot: ({ snapshot }, worker) => {
      supervisor.recordSnapshot(worker, snapshot);
      onProgress();
      dispatcher.rebalance(worker, performance.now());
    },
    accepted: ({ id }, worker) => {
      dispatcher.acknowledge(worker, id);
    },
    probed: ({ id }, worker) => {
      dispatcher.resend(worker, id);
    },
    closed: ({ id }, worker) => {
      dispatcher.forget(worker, id);
    },
    strike: ({ suspects }) => {
      quarantine.recordStrike(suspects, performance.now());
    },
    cleared: ({ suspect }) => {
      quarantine.clear(suspect);
    },
    stuck: ({ reason }, worker) => {
      void supervisor.replaceHung(worker, reason);
    },
    ask: ({ id, path }, worker) => {
      void answerOps(path).then((answer) => {
        worker.send({ type: 'answer', id, answer });
      });
    },
    unable: ({ reason, exitCode }, worker) => {
      worker.giveUp(reason, exitCode);
    },
  });
}
