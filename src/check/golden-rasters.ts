import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Deadline, noDeadline } from '../deadline.ts';
import { toMessage } from '../errors.ts';
import { decodeImage } from '../image/decode.ts';
import type { DecodeLimits } from '../image/types.ts';
import type { GoldenRaster } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';

/**
 * Decodes a model's golden images as uploads are decoded.
 * @throws Error that names the image.
 */
export function loadGoldenRasters(
  model: ModelVersion,
  limits: DecodeLimits,
  until: Deadline = noDeadline,
): Promise<GoldenRaster[]> {
  const { golden, input } = model.manifest;
  return Promise.all(
    golden.map(async ({ image, scores, tolerance }) => {
      try {
        const bytes = await readFile(path.join(model.dir, image));
        return { image, scores, tolerance, raster: await decodeImage(bytes, input, limits, until) };
      } catch (thrown) {
        throw new Error(`${image}: ${toMessage(thrown)}`, { cause: thrown });
      }
    }),
  );
}
