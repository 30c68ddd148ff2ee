import { type ByteRange, toTooMany } from './header-facts.ts';

/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2); the range is that of its content. */
export interface Box extends ByteRange {
  readonly type: number;
}

/** Of one level. Files have tens. */
export const maxBoxes = 4096;

const headerBytes = 8;

/**
 * Lists the boxes of one level; the last may reach beyond `range`, as that of a truncated file does.
 * @throws ERR_IMAGE_TOO_COSTLY for too many
 */
export function listBoxes(view: DataView, range: ByteRange): Box[] {
  const boxes: Box[] = [];
  for (let at = range.start; at + headerBytes <= range.end;) {
    if (boxes.length === maxBoxes) throw toTooMany('boxes', maxBoxes);
    const size = view.getUint32(at);
    const [start, length] = size === 1 ? [at + 16, Number(view.getBigUint64(at + 8))] : [at + headerBytes, size];
    const end = length === 0 ? range.end : at + length;
    if (end < start) break;
    boxes.push({ type: view.getUint32(at + 4), start, end });
    at = end;
  }
  return boxes;
}

/** The first box of a type. */
export function findBox(boxes: readonly Box[], type: number): Box | undefined {
  return boxes.find((box) => box.type === type);
}
