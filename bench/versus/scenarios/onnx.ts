import path from 'node:path';
import { z } from 'zod';
import { runToEnd } from '../../child-run.ts';
import type { BenchModel } from '../../peers/contender.ts';
import { binDir, toPeerForms } from '../../peers/installed.ts';
import { type SizeName, sizeNames } from '../pictures.ts';
import type { Stage } from '../stage.ts';

const costSchema = z.object({ cpuMs: z.number(), wallMs: z.number() });
const answerSchema = z.object({ version: z.string(), decode: costSchema, inference: costSchema });

/** What ONNX Runtime takes for the same network, one thread in one process; decoded by Pillow. */
export type OnnxFigure = z.infer<typeof answerSchema> & { readonly model: BenchModel; readonly size: SizeName };

const script = path.join(import.meta.dirname, '..', '..', 'peers', 'onnx_limit.py');

/** Runs each network at the smallest size, and MobileNetV2 at all. */
export async function measureOnnx({ plan, pictures }: Stage): Promise<OnnxFigure[]> {
  const figures: OnnxFigure[] = [];
  const pairs = [
    ...sizeNames.map((size) => ['mobilenet-224', size] as const),
    ['quality', '640×480'] as const,
    ['mobilenet-96', '640×480'] as const,
  ];
  for (const [model, size] of pairs) {
    const files = pictures.files[size];
    const { onnx, savedModel } = toPeerForms(model);
    const rounds = Math.max(1, Math.round(plan.limitImages / files.length));
    const answer = await runToEnd(path.join(binDir, 'python'), [script, onnx, savedModel, String(rounds), ...files]);
    figures.push({ ...answerSchema.parse(JSON.parse(answer)), model, size });
  }
  return figures;
}
