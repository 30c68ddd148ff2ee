// The old ways to serve a TensorFlow model from several processes, and this service. Takes about five minutes.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadVersion } from '../../src/cli/project.ts';
import { toMessage } from '../../src/errors.ts';
import { diagnose } from '../../src/setup/doctor.ts';
import { exitOnSignal } from '../exit-on-signal.ts';
import { gatherPhotos, uploadCount } from './photographs.ts';
import { type Missing, prepareWays } from './preparation.ts';
import { readPythonVersions } from './python-packages.ts';
import { describeOutcome, type Finding, toReport } from './report.ts';
import { runTrial } from './trial.ts';
import { toCommand, type Way, ways } from './ways.ts';

exitOnSignal();

const { values } = parseArgs({ options: { photos: { type: 'string' }, limit: { type: 'string', default: '30' } } });
const limitMs = Number(values.limit) * 1000;
if (!(limitMs > 0)) throw new Error(`--limit takes seconds, not ${values.limit}`);

const photos = await gatherPhotos(values.photos);
const missing = await prepareWays();
const versions = await readVersions(missing);
const loadBefore = os.loadavg()[0] ?? NaN;
const findings: Finding[] = [];
for (const way of ways) {
  const finding = await tryWay(way);
  findings.push(finding);
  console.log(`${way.title}: ${describeOutcome(finding.outcome)}`);
}
const bytes = photos.reduce((sum, { size }) => sum + size, 0);
const report = await toReport(findings, {
  versions,
  model: describeModel(missing),
  photos: `${String(uploadCount)} at once, ${String(Math.round(bytes / uploadCount / 1000))} kB each on average`,
  limitMs,
  loadBefore,
});
writeFileSync(path.join(import.meta.dirname, 'RESULTS.md'), report);
console.log(`\n${report}`);

async function tryWay(way: Way): Promise<Finding> {
  const command = toCommand(way, missing.model === undefined);
  const { shown } = command;
  const reason = way.tool === 'image-check' ? undefined : missing[way.tool];
  if (reason !== undefined) return { way, shown, outcome: reason };
  try {
    return { way, shown, outcome: await runTrial(way, command, photos, limitMs) };
  } catch (thrown) {
    return { way, shown, outcome: toMessage(thrown) };
  }
}

async function readVersions({ gunicorn }: Missing): Promise<string[]> {
  const findings = await diagnose({ environment: process.env });
  const engines = findings.filter(({ check }) => check.endsWith(' engine'));
  const here = engines.map(({ check, detail }) => `${check}: ${detail}`);
  return [
    ...(gunicorn === undefined ? [`The old ways: ${await readPythonVersions()}`] : []),
    `This service: image-check ${loadVersion()}, Node ${process.version}, ${here.join(', ')}`,
  ];
}

function describeModel({ model }: Missing): string {
  if (model !== undefined) {
    return `image-check serves its own quality model, as the model of the others can't be had: ${model}`;
  }
  return 'MobileNetV2, 224 × 224, weights left to chance, one SavedModel of Keras for all; compiled for image-check beforehand';
}
