import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LoadFigure } from '../load-figure.ts';
import type { BenchModel, Contender } from '../peers/contender.ts';
import { toHttpRequest, toUpload, type Upload } from '../upload.ts';
import { findLoadTool, type LoadTool } from './closed-loop.ts';
import type { Pictures, SizeName } from './pictures.ts';
import type { Plan } from './plan.ts';
import { type Server, startServer, waitForCalm, waitForVerdict } from './server.ts';

/** What all scenarios share. */
export interface Stage {
  readonly plan: Plan;
  readonly dir: string;
  readonly pictures: Pictures;
  readonly contenders: readonly Contender[];
  readonly loadTool: LoadTool;
  /** What went wrong with whom; the report tells. */
  readonly failures: string[];
}

/** Worker processes of every contender. */
export const workerCount = 2;

/** Builds the stage. */
export function createStage(given: Pick<Stage, 'plan' | 'dir' | 'pictures' | 'contenders'>): Stage {
  return { ...given, loadTool: findLoadTool(), failures: [] };
}

/** Notes that a peer is left out, and why. */
export function noteFailure({ failures }: Stage, what: string, name: string, reason: unknown): void {
  const line = `${what}: ${name} is left out: ${reason instanceof Error ? reason.message : String(reason)}`;
  failures.push(line);
  console.log(`  ${line}`);
}

/** One picture of a size as a contender takes it. */
export function toPictureUpload({ pictures }: Stage, contender: Contender, size: SizeName): Upload {
  const [file = ''] = pictures.files[size];
  return toUpload(contender.body, [readFileSync(file)]);
}

/** Starts contenders one after the other and waits until each judges pictures; what does not start is left out. */
export async function startAll(
  stage: Stage,
  contenders: readonly Contender[],
  model: BenchModel,
  workers = workerCount,
): Promise<Server[]> {
  const servers: Server[] = [];
  for (const contender of contenders.filter(({ models }) => models.includes(model))) {
    const server = await startServer(contender, model, workers);
    try {
      await warmUp(stage, server);
      servers.push(server);
    } catch (thrown) {
      await server.group.kill();
      if (contender.kind === 'own') throw thrown;
      noteFailure(stage, `start with ${model}`, contender.name, thrown);
    }
  }
  return servers;
}

/** Ends servers and all their processes. */
export async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map(({ group }) => group.kill()));
}

/** Until each worker has judged pictures: what is lazy is then done. */
async function warmUp(stage: Stage, server: Server): Promise<void> {
  const upload = toPictureUpload(stage, server.contender, '640×480');
  await waitForVerdict(server, upload);
  for (let burst = 0; burst < 2; burst += 1) {
    await Promise.all(Array.from({ length: 4 * server.workers }, () => waitForVerdict(server, upload)));
  }
  await waitForCalm(server);
}

/** What a slice of the closed loop met, and what it cost the server. */
export interface SliceFigure extends LoadFigure {
  /** CPU time of the whole process tree by answers of 2xx. */
  readonly cpuMsPerRequest: number;
}

/** Bodies that a slice sends. */
export interface SliceLoad {
  /** Name of the bodies: the same name, the same bodies. */
  readonly name: string;
  readonly uploads: (contender: Contender) => readonly Upload[];
  readonly connections: number;
  readonly seconds: number;
}

/** Runs the closed loop against one server for a while, and waits until it is calm again. */
export async function measureSlice(stage: Stage, server: Server, load: SliceLoad): Promise<SliceFigure> {
  const { contentType, bodyFiles, requestFiles } = writeUploads(stage, server.contender, load);
  const { connections, seconds } = load;
  const before = server.group.readCpuMs();
  const figure = await stage.loadTool.run({
    url: server.url,
    requestFiles,
    bodyFiles,
    contentType,
    connections,
    seconds,
  });
  const cpuMs = server.group.readCpuMs() - before;
  await waitForCalm(server);
  return { ...figure, cpuMsPerRequest: cpuMs / figure.answered };
}

/** All pictures of a size, in turns. */
export function toSizeLoad(stage: Stage, size: SizeName): Pick<SliceLoad, 'name' | 'uploads'> {
  const uploads = ({ body }: Contender): Upload[] =>
    stage.pictures.files[size].map((file) => toUpload(body, [readFileSync(file)]));
  return { name: size, uploads };
}

interface WrittenUploads {
  readonly contentType: string;
  readonly bodyFiles: readonly string[];
  readonly requestFiles: readonly string[];
}

const written = new Map<string, WrittenUploads>();

/** Writes bodies, and the requests that carry them, into files that other processes can read; once. */
export function writeUploads(
  stage: Stage,
  contender: Contender,
  { name, uploads }: Pick<SliceLoad, 'name' | 'uploads'>,
): WrittenUploads {
  const key = `${name} ${contender.path} ${contender.body}`.replaceAll(/[^\w×]+/g, '-');
  const known = written.get(key);
  if (known) return known;
  const bodies = uploads(contender);
  mkdirSync(stage.dir, { recursive: true });
  const write = (kind: string, toBytes: (upload: Upload) => Buffer): string[] =>
    bodies.map((upload, index) => {
      const file = path.join(stage.dir, `${key}-${String(index)}.${kind}`);
      writeFileSync(file, toBytes(upload));
      return file;
    });
  const result = {
    contentType: bodies[0]?.contentType ?? '',
    bodyFiles: write('body', ({ body }) => body),
    requestFiles: write('http', (upload) => toHttpRequest(contender.path, upload)),
  };
  written.set(key, result);
  return result;
}
