import { readFileSync } from 'node:fs';
import { toUpload } from '../../upload.ts';
import type { SizeName } from '../pictures.ts';
import type { Server } from '../server.ts';
import { measureSlice, type SliceFigure, type Stage, toSizeLoad } from '../stage.ts';

/** One round: requests of many images, and of one, with as many images on their way. */
export interface FormFigure {
  readonly size: SizeName;
  readonly many: SliceFigure;
  readonly single: SliceFigure;
}

/** Images of the larger requests. */
export const imagesPerForm = 8;

const size = '640×480';
const connections = { many: 2, single: 2 * imagesPerForm };

/** Sends forms of eight images and of one in turns. */
export async function measureForms(stage: Stage, server: Server): Promise<FormFigure[]> {
  const { formRounds, formSeconds: seconds } = stage.plan;
  const files = stage.pictures.files[size];
  const images = Array.from({ length: imagesPerForm }, (_, index) => readFileSync(files[index % files.length] ?? ''));
  const uploads = () => [toUpload('multipart', images)];
  const figures: FormFigure[] = [];
  for (let round = 0; round < formRounds; round += 1) {
    const load = { name: 'form of many', uploads, connections: connections.many, seconds };
    const many = await measureSlice(stage, server, load);
    const single = await measureSlice(stage, server, {
      ...toSizeLoad(stage, size),
      connections: connections.single,
      seconds,
    });
    figures.push({ size, many, single });
  }
  return figures;
}
