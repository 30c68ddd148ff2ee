import { waitFor } from '../../../test/fixtures/wait-for.ts';
import { type Server, waitForListening, waitForVerdict } from '../server.ts';
import { type Stage, toPictureUpload } from '../stage.ts';

/** Times from the start of the process. */
export interface StartFigure {
  /** A connection is accepted. */
  readonly listeningMs: number;
  readonly firstVerdictMs: number;
  /** Four uploads for each worker, sent at once, are answered; of this project also: /health says so. */
  readonly allReadyMs: number;
}

const uploadsPerWorker = 4;
const readyLimitMs = 60_000;

/** Uploads to a server that has just been started, from its first moment on. @throws where it does not come up */
export async function measureColdStart(stage: Stage, server: Server): Promise<StartFigure> {
  const upload = toPictureUpload(stage, server.contender, '640×480');
  const toMs = (): number => performance.now() - server.startedAt;
  const listening = waitForListening(server).then(toMs);
  const firstVerdict = waitForVerdict(server, upload).then(toMs);
  const [listeningMs, firstVerdictMs] = await Promise.all([listening, firstVerdict]);
  const sendBurst = async (): Promise<void> => {
    const burst = Array.from({ length: uploadsPerWorker * server.workers }, () => waitForVerdict(server, upload));
    await Promise.all(burst);
  };
  await sendBurst();
  if (server.contender.kind === 'own') {
    await waitFor(
      async () => (await areAllReady(server)) || sendBurst().then(() => false),
      'all workers are ready',
      readyLimitMs,
    );
  }
  return { listeningMs, firstVerdictMs, allReadyMs: toMs() };
}

async function areAllReady({ opsUrl, workers }: Server): Promise<boolean> {
  const response = await fetch(`${opsUrl}/health`);
  const health = (await response.json()) as { workers: { ready: boolean }[] };
  return health.workers.length === workers && health.workers.every(({ ready }) => ready);
}
