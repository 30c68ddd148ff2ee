// `npx pm2 start ecosystem.config.js`, with `--env production` for Express's own production settings.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const seconds = 1000;
const minutes = 60 * seconds;

export const apps = [
  {
    name: 'image-check',
    script: 'src/launcher.mjs',
    args: 'serve',
    cwd: dirname(fileURLToPath(import.meta.url)),
    // image-check forks its own workers: in cluster mode pm2 would be their primary, and nobody would supervise them.
    exec_mode: 'fork',
    instances: 1,
    wait_ready: true,
    // The first start fetches native TensorFlow and builds its binding.
    listen_timeout: 15 * minutes,
    // shutdown.graceMs and 5 s. Raise both together, or pm2 kills what still drains.
    kill_timeout: 35 * seconds,
    // The primary alone is told to end; it drains its workers.
    treekill: false,
    pmx: false,
    exp_backoff_restart_delay: 200,
    // A restart ends the same way until the cache (73) or the configuration (78) is fixed. A port in use (75) may
    // become free. Not 0: pm2 takes a primary that was killed by a signal for one that ended with 0.
    stop_exit_codes: [73, 78],
    env_production: { NODE_ENV: 'production' },
  },
];
