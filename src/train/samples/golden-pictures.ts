import { degradePhoto } from './degradation.ts';
import { drawLandscape } from './landscape.ts';
import { inputShape } from './network-input.ts';
import type { Picture } from './photos.ts';
import { type Plan, untouched } from './plan.ts';
import { createRandom } from './random.ts';

const plans: Readonly<Record<string, Partial<Plan>>> = {
  sharp: {},
  blurred: { blur: { kind: 'disc', spread: 4 } },
  dark: { stops: -5.5 },
  overexposed: { stops: 4.5 },
  noisy: { noise: { deviation: 32, readShare: 0.1, greyShare: 0.5, grain: 1 }, saves: [{ quality: 85, scale: 1 }] },
  blocky: { saves: [{ quality: 7, scale: 1 }] },
};
const sceneSeed = 1;

/** A picture on which every engine must give the recorded scores. */
export interface GoldenPicture {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Draws the golden images: one landscape, good and with each fault. */
export async function drawGoldenPictures(): Promise<GoldenPicture[]> {
  const scene: Picture = drawLandscape(sceneSeed, 640, 427);
  return Promise.all(
    Object.entries(plans).map(async ([name, plan], index) => {
      const { bytes } = await degradePhoto(
        scene,
        { ...untouched, ...plan },
        inputShape,
        createRandom(sceneSeed, index),
      );
      return { name, bytes };
    }),
  );
}
