import path from 'node:path';
import { projectRoot } from '../../src/cli/project.ts';
import type { Contender, StartOptions } from './contender.ts';
import { binDir, modelsDir, nodeDir, toPeerForms } from './installed.ts';

type Command = ReturnType<Contender['toCommand']>;

const models = ['mobilenet-224', 'mobilenet-96', 'quality'] as const;
const pythonDir = path.join(import.meta.dirname, 'python');

/** This service as it is in a checkout, started as its users start it. */
export function toCheckout(name: string, dir: string, modelFlags: readonly string[] = []): Contender {
  return {
    name,
    kind: 'own',
    models,
    path: '/v1/check',
    body: 'multipart',
    toCommand: ({ port, opsPort, workers, model }) => ({
      command: process.execPath,
      args: [
        ...['src/launcher.mjs', 'serve', '--port', String(port), '--ops-port', String(opsPort)],
        ...['--workers', String(workers), ...modelFlags, '--set', `check.models=${model}`],
      ],
      cwd: dir,
      env: process.env,
    }),
    toScores: (body) => {
      const { images } = body as { images: { checks: { labels: { score: number }[] }[] }[] };
      return images.flatMap(({ checks }) => checks.flatMap(({ labels }) => labels.map(({ score }) => score)));
    },
  };
}

/** This project, with the models of all contenders. */
export const imageCheck = toCheckout('image-check', projectRoot, ['--models', modelsDir]);

const naiveNode: Contender = {
  ...{ name: 'naive Node', kind: 'node', models, path: '/classify', body: 'multipart', toScores: toPeerScores },
  toCommand: ({ port, workers, model }) => ({
    command: process.execPath,
    args: ['cluster.mjs'],
    cwd: nodeDir,
    env: {
      ...process.env,
      ...{ MODEL: toPeerForms(model).graphModel, PORT: String(port), WORKERS: String(workers) },
    },
  }),
};

/** All services that are measured; ours comes first. */
export const contenders: readonly Contender[] = [
  imageCheck,
  naiveNode,
  // A thread more than works would make two inferences contend for one CPU; connections are kept all the same.
  toPython('gunicorn', 'gunicorn', ({ port, workers }) => [
    ...['--bind', `127.0.0.1:${String(port)}`, '--workers', String(workers), '--worker-class', 'gthread'],
    ...['--threads', '1', '--preload', 'preloaded_app:app'],
  ]),
  // Its own HTTP process keeps connections. With http11-socket a worker serves no other connection than the one that it
  // keeps: six of eight never got an answer; http-socket closes each.
  toPython('uWSGI', 'uwsgi', ({ port, workers }) => [
    ...['--http', `127.0.0.1:${String(port)}`, '--http-keepalive', '--master', '--lazy-apps'],
    ...['--processes', String(workers), '--virtualenv', path.dirname(binDir), '--module', 'flask_app:app'],
  ]),
  {
    ...toPython('mosec', 'python', ({ port }) => [
      // The default timeout, 3 s, is less than a queue of large pictures takes.
      ...['mosec_service.py', '--address', '127.0.0.1', '--port', String(port), '--timeout', '60000'],
    ]),
    path: '/inference',
    body: 'raw',
  },
  toPython('LitServe', 'python', () => ['litserve_service.py']),
  toPython('FastAPI + uvicorn', 'uvicorn', ({ port, workers }) => [
    ...['fastapi_app:app', '--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)],
  ]),
];

function toPython(name: string, program: string, toArgs: (options: StartOptions) => readonly string[]): Contender {
  const toCommand = (options: StartOptions): Command => ({
    command: path.join(binDir, program),
    args: toArgs(options),
    cwd: pythonDir,
    env: {
      ...process.env,
      ...{ MODEL: toPeerForms(options.model).savedModel, PORT: String(options.port) },
      ...{ WORKERS: String(options.workers), TF_CPP_MIN_LOG_LEVEL: '2', PYTHONDONTWRITEBYTECODE: '1' },
    },
  });
  return { name, kind: 'python', models, path: '/classify', body: 'multipart', toCommand, toScores: toPeerScores };
}

function toPeerScores(body: unknown): readonly number[] {
  return (body as { scores: number[] }).scores;
}
