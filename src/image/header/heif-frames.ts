import { type Box, findBox, listBoxes } from './boxes.ts';
import { toCode } from './header-facts.ts';

const codes = {
  movie: toCode('moov'),
  track: toCode('trak'),
  /** From a track to the table of its samples. */
  path: [toCode('mdia'), toCode('minf'), toCode('stbl')],
  sizes: new Set([toCode('stsz'), toCode('stz2')]),
};

/**
 * Counts the frames of an AVIF or HEIC image sequence: the samples of its longest track (ISO/IEC 14496-12, 8.7.3).
 * @param boxes of the file
 * @returns 1 where there is no track, or none that can be read
 * @throws ERR_IMAGE_TOO_COSTLY for too many boxes
 */
export function countFrames(view: DataView, boxes: readonly Box[]): number {
  const movie = findBox(boxes, codes.movie);
  if (movie === undefined) return 1;
  try {
    const tracks = listBoxes(view, movie).filter(({ type }) => type === codes.track);
    return tracks.reduce((most, track) => Math.max(most, countSamples(view, track)), 1);
  } catch (thrown) {
    // The file ends within the movie; its still picture, which is judged, may be whole.
    if (thrown instanceof RangeError) return 1;
    throw thrown;
  }
}

function countSamples(view: DataView, track: Box): number {
  let table: Box | undefined = track;
  for (const code of codes.path) table = table && findBox(listBoxes(view, table), code);
  const sizes = table && listBoxes(view, table).find(({ type }) => codes.sizes.has(type));
  // In both kinds version and flags, then the size of samples, come before their number.
  return sizes ? view.getUint32(sizes.start + 8) : 0;
}
