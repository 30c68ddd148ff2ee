// This service beside its peers: under 20 minutes; --quick: under 3, for whether everything runs.
// --photos DIR: pictures are made from the photographs of a folder; else from drawn scenes
// --out DIR: where RESULTS.md, RESULTS.json and plots go; this folder otherwise
// --only NAME,NAME: these contenders
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exitOnSignal } from './exit-on-signal.ts';
import { contenders } from './peers/contenders.ts';
import { installPeers } from './peers/install.ts';
import { measureAll } from './versus/benchmark.ts';
import { fullPlan, quickPlan } from './versus/plan.ts';
import { writeReport } from './versus/report.ts';

exitOnSignal();

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    photos: { type: 'string' },
    out: { type: 'string', default: import.meta.dirname },
    only: { type: 'string' },
  },
});
const only = values.only?.split(',');
const chosen = contenders.filter(({ kind, name }) => kind === 'own' || only === undefined || only.includes(name));
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
process.on('exit', () => {
  rmSync(dir, { recursive: true, force: true });
});
await installPeers();
const results = await measureAll({
  plan: values.quick ? quickPlan : fullPlan,
  dir,
  contenders: chosen,
  ...(values.photos !== undefined && { photosDir: values.photos }),
});
console.log(`\n${await writeReport(path.resolve(values.out), results)}`);
process.exit();
