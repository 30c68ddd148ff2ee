import { type Frame, type LongSidePlacement, toFrame, toTurned } from './framing.ts';
import type { PlainJpeg } from './plain-jpeg.ts';
import type { RasterShape, Size } from './types.ts';

/** How a JPEG is decoded to a size: reduced by its DCT first, then scaled, then turned. Lengths are in pixels. */
export interface JpegPlan {
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly ratio: 1 | 2 | 4 | 8;
  /** What the picture is scaled to, before it is turned. */
  readonly columns: number;
  readonly rows: number;
  /** Decoded pixels for each of these. */
  readonly columnShrink: number;
  readonly rowShrink: number;
  /** As EXIF counts, 1…8. */
  readonly orientation: number;
}

/** What decoding makes, and where that goes in the raster: as {@link Frame} says. */
export interface PlannedJpeg {
  readonly plan: JpegPlan;
  /** Of the picture as it is turned. */
  readonly size: Size;
  readonly placement: LongSidePlacement | undefined;
}

/** Each orientation, turned by a quarter, clockwise. */
const quarterTurns = [1, 6, 7, 8, 5, 2, 3, 4, 1] as const;

/**
 * Plans the decoding of a JPEG for a raster with the sizes that sharp comes to (src/pipeline.cc, ResolveShrink and
 * shrink-on-load), so that both ways give the same pixels within a rounding.
 * @returns undefined where it would be enlarged, or only a part of it scaled
 */
export function planJpeg({ coded, orientation }: PlainJpeg, shape: RasterShape): PlannedJpeg | undefined {
  const isTurned = orientation >= 5;
  const { region, scale, placement } = toFrame(isTurned ? toTurned(coded) : coded, shape);
  if (region !== undefined) return undefined;
  const target = { fit: scale.fit, ...(isTurned ? toTurned(scale) : { width: scale.width, height: scale.height }) };
  const whole = toShrinks(coded, target);
  const least = Math.min(whole.columnShrink, whole.rowShrink);
  if (least < 1) return undefined;
  const ratio = toRatio(least);
  const decoded = { width: Math.floor(coded.width / ratio), height: Math.floor(coded.height / ratio) };
  if (decoded.width === 0 || decoded.height === 0) return undefined;
  const shrinks = toShrinks(decoded, target);
  const columns = Math.max(1, Math.round(decoded.width / shrinks.columnShrink));
  const rows = Math.max(1, Math.round(decoded.height / shrinks.rowShrink));
  const final = placement?.isTurned === true ? (quarterTurns[orientation] ?? 1) : orientation;
  const size = final >= 5 ? { width: rows, height: columns } : { width: columns, height: rows };
  const plan = { codedWidth: coded.width, codedHeight: coded.height, ratio, columns, rows, ...shrinks };
  return { plan: { ...plan, orientation: final }, size, placement };
}

type Target = Frame['scale'];

function toShrinks(from: Size, to: Target): Pick<JpegPlan, 'columnShrink' | 'rowShrink'> {
  const columnShrink = from.width / to.width;
  const rowShrink = from.height / to.height;
  if (to.fit === 'fill') return { columnShrink, rowShrink };
  const both = to.fit === 'outside' ? Math.min(columnShrink, rowShrink) : Math.max(columnShrink, rowShrink);
  return { columnShrink: both, rowShrink: both };
}

/** The last step of a reduction is the filter's: a picture is never reduced to its very size by the DCT alone. */
function toRatio(shrink: number): JpegPlan['ratio'] {
  if (shrink >= 9) return 8;
  if (shrink >= 5) return 4;
  return shrink >= 3 ? 2 : 1;
}
