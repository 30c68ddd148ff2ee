import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../../test/fixtures/port.ts';
import type { BenchModel, Contender } from '../peers/contender.ts';
import { postUpload } from '../post-upload.ts';
import { type ProcessGroup, startGroup } from '../process-group.ts';
import type { Upload } from '../upload.ts';

/** A contender that runs. */
export interface Server {
  readonly contender: Contender;
  readonly model: BenchModel;
  readonly workers: number;
  readonly url: string;
  readonly opsUrl: string;
  readonly group: ProcessGroup;
  /** By the clock of `performance.now()`. */
  readonly startedAt: number;
}

/** Importing TensorFlow and loading a model take 15 s on a machine that does other things as well. */
const startLimitMs = 90_000;
const pollMs = 5;
const drainMs = 100;
const calmPollMs = 100;
/** What a server without requests takes of one CPU. */
const calmShare = 0.2;
const calmLimitMs = 20_000;

/** Starts a contender on free ports of its own; it does not serve yet. */
export async function startServer(contender: Contender, model: BenchModel, workers: number): Promise<Server> {
  const port = await findFreePort();
  const opsPort = await findFreePort();
  const { command, args, cwd, env } = contender.toCommand({ port, opsPort, workers, model });
  const startedAt = performance.now();
  return {
    contender,
    model,
    workers,
    url: `http://127.0.0.1:${String(port)}${contender.path}`,
    opsUrl: `http://127.0.0.1:${String(opsPort)}`,
    group: startGroup(command, args, { cwd, env }),
    startedAt,
  };
}

/** Resolves when it accepts connections. @throws where it ends before, or never does */
export async function waitForListening(server: Server, limitMs = startLimitMs): Promise<void> {
  await retry(server, 'listen', limitMs, () => canConnect(Number(new URL(server.url).port)));
}

/** Resolves with the first answer of 200. @throws where the server ends before, or never gives one */
export async function waitForVerdict(server: Server, upload: Upload, limitMs = startLimitMs): Promise<string> {
  let text = '';
  await retry(server, 'judge a picture', limitMs, async () => {
    const answer = await postUpload(server.url, upload, { timeoutMs: limitMs }).catch(() => undefined);
    text = answer?.text ?? text;
    return answer?.status === 200;
  });
  return text;
}

/** Resolves when requests abandoned by their clients are finished. */
export async function waitForCalm({ group }: Server): Promise<void> {
  const giveUpAt = performance.now() + calmLimitMs;
  for (let before = group.readCpuMs(); performance.now() < giveUpAt;) {
    const from = performance.now();
    await delay(calmPollMs);
    const now = group.readCpuMs();
    if (now - before < calmShare * (performance.now() - from)) return;
    before = now;
  }
}

async function retry(server: Server, what: string, limitMs: number, holds: () => Promise<boolean>): Promise<void> {
  const { contender, group } = server;
  const giveUpAt = performance.now() + limitMs;
  const fail = (problem: string): never => {
    const said = group.output().trim().split('\n').slice(-3).join('; ');
    throw new Error(`${contender.name} ${problem}: ${said || 'it printed nothing'}`);
  };
  while (!(await holds())) {
    if (group.hasEnded()) {
      // What it printed may still be in the pipe.
      await delay(drainMs);
      fail('ended at its start');
    }
    if (performance.now() > giveUpAt) fail(`did not ${what} within ${String(limitMs / 1000)} s`);
    await delay(pollMs);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}
