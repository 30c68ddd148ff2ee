import path from 'node:path';
import { projectRoot } from '../../src/cli/project.ts';
import { binDir } from './python-packages.ts';
import { modelName, modelsDir, savedModelDir } from './shared-model.ts';

/** What serves. */
export type Tool = 'uwsgi' | 'gunicorn' | 'image-check';

/** One way to serve a model from two worker processes. */
export interface Way {
  readonly title: string;
  readonly tool: Tool;
  readonly args: readonly string[];
  /** Where the model is loaded: in the process that forks the others, or in each worker, by its first request. */
  readonly load: 'import' | 'request';
  readonly settings?: Readonly<Record<string, string>>;
}

/** Worker processes of every way. */
export const workerCount = 2;

const workers = String(workerCount);
const uwsgi = `--http-socket 127.0.0.1:0 --virtualenv .venv --wsgi app:app --processes ${workers} --threads 2`;
const gunicorn = `app:app --bind 127.0.0.1:0 --workers ${workers} --threads 2`;

/** All ways, in the order of running. */
export const ways: readonly Way[] = [
  toWay('uWSGI with a master', 'import', `uwsgi ${uwsgi} --master`),
  toWay('uWSGI with harakiri=10', 'import', `uwsgi ${uwsgi} --master --harakiri 10`),
  toWay('uWSGI without a master', 'import', `uwsgi ${uwsgi}`),
  toWay('gunicorn, preload_app', 'import', `gunicorn ${gunicorn} --preload`),
  {
    ...toWay('gunicorn, preload_app, gc.freeze', 'import', `gunicorn ${gunicorn} --preload`),
    settings: { GC_FREEZE: 'yes' },
  },
  toWay('uWSGI, lazy-apps', 'request', `uwsgi ${uwsgi} --master --lazy-apps`),
  toWay('gunicorn without preload_app', 'request', `gunicorn ${gunicorn}`),
  toWay('image-check', 'request', `image-check serve --port 0 --ops-port 0 --workers ${workers}`),
];

function toWay(title: string, load: Way['load'], command: string): Way {
  const [tool, ...args] = command.split(' ');
  return { title, tool: tool as Tool, args, load };
}

/** What a tool writes to its log. */
export interface LogPatterns {
  readonly port: RegExp;
  /** A worker was started, and its process id. */
  readonly worker: RegExp;
  /** The program is there, in the process that forks or in a worker. */
  readonly ready: RegExp;
  /** A worker was found stuck and is killed. */
  readonly killed: RegExp;
}

/** The logs of the tools. */
export const logPatterns: Readonly<Record<Tool, LogPatterns>> = {
  uwsgi: {
    port: /bound to TCP address 127\.0\.0\.1:(\d+)/,
    worker: /pawned uWSGI worker \d+ \((?:new )?pid: (\d+)/g,
    ready: /app imported/g,
    killed: /\*\*\* HARAKIRI ON WORKER/g,
  },
  gunicorn: {
    port: /Listening at: http:\/\/127\.0\.0\.1:(\d+)/,
    worker: /Booting worker with pid: (\d+)/g,
    ready: /app imported/g,
    killed: /WORKER TIMEOUT/g,
  },
  'image-check': {
    port: /"port":(\d+)/,
    worker: /"workerPid":(\d+),"msg":"worker forked"/g,
    ready: /"msg":"worker listening"/g,
    killed: /"msg":"worker is stuck"/g,
  },
};

/** How a way is started. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** As one would type it. */
  readonly shown: string;
}

/** @param isModelServed - whether image-check can serve the model of the others; it takes its own quality model otherwise */
export function toCommand({ tool, args, load, settings }: Way, isModelServed: boolean): Command {
  if (tool === 'image-check') {
    const models = ['--models', path.relative(projectRoot, modelsDir), '--set', `check.models=${modelName}`];
    const nodeArgs = ['src/launcher.mjs', ...args, ...(isModelServed ? models : [])];
    const shown = ['node', ...nodeArgs].join(' ');
    return { file: process.execPath, args: nodeArgs, cwd: projectRoot, env: process.env, shown };
  }
  const own = { LOAD: load, ...settings };
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '2', PYTHONDONTWRITEBYTECODE: '1' };
  return {
    file: path.join(binDir, tool),
    args,
    cwd: import.meta.dirname,
    env: { ...process.env, ...quiet, SAVED_MODEL: savedModelDir, ...own },
    shown: [...Object.entries(own).map(([name, value]) => `${name}=${value}`), tool, ...args].join(' '),
  };
}
