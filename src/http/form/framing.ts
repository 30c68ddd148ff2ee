import { toMalformed } from './malformed-form.ts';

/** Receives the parts of a form, in order. */
export interface PartObserver {
  /** @param block the header lines without the empty line that ends them */
  readonly openPart: (block: Buffer) => void;
  /** @param bytes a piece of the part's content; a view of the chunk */
  readonly content: (bytes: Buffer) => void;
}

const maxHeaderBytes = 8192;
/** Whitespace that may follow a delimiter on its line (RFC 2046, 5.1.1: transport padding). */
const maxPaddingBytes = 256;
const lineEnd = Buffer.from('\r\n');
const headerEnd = Buffer.from('\r\n\r\n');
const [carriageReturn, lineFeed, dash, space, tab] = [13, 10, 45, 32, 9];

/**
 * Splits the stream of one multipart body. Every line that any parser treats as a delimiter is one here, or an error: a part
 * after a bare line feed or after the closing delimiter would be content here and a part to others.
 */
export class Framing {
  readonly #delimiter: Buffer;
  readonly #observer: PartObserver;
  #place: 'preamble' | 'header' | 'content' | 'epilogue' = 'preamble';
  /** Undecided bytes: part of a header or possibly of a delimiter. A body may begin with its first delimiter. */
  #held: Buffer = lineEnd;
  /** Bytes at the start of the content that belong to the end of the header's last line. */
  #toSkip = 0;

  constructor(boundary: string, observer: PartObserver) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#observer = observer;
  }

  /** @throws {@link ServiceError} ERR_UPLOAD_MALFORMED; errors of the observer pass through. */
  push(chunk: Buffer): void {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (bytes.length > 0) {
      const length = this.#place === 'header' ? this.#readHeader(bytes) : this.#readContent(bytes);
      if (length === undefined) return;
      bytes = bytes.subarray(length);
    }
    this.#held = bytes;
  }

  /** @throws {@link ServiceError} ERR_UPLOAD_MALFORMED if the closing delimiter is missing */
  end(): void {
    if (this.#place === 'preamble') throw toMalformed('the boundary does not occur');
    if (this.#place !== 'epilogue') throw toMalformed('the closing boundary is missing');
  }

  /** Returns the bytes consumed; undefined if all are held until more arrive. */
  #readHeader(bytes: Buffer): number | undefined {
    const end = bytes.subarray(0, 2).equals(lineEnd) ? 0 : bytes.indexOf(headerEnd);
    if ((end === -1 ? bytes.length : end) > maxHeaderBytes) {
      throw toMalformed(`the header of a part has more than ${String(maxHeaderBytes)} bytes`);
    }
    if (end === -1) {
      this.#held = bytes;
      return undefined;
    }
    this.#observer.openPart(bytes.subarray(0, end));
    this.#place = 'content';
    // Without content the delimiter follows the empty line immediately.
    this.#toSkip = lineEnd.length;
    return end === 0 ? 0 : end + lineEnd.length;
  }

  #readContent(bytes: Buffer): number | undefined {
    const line = findDelimiter(bytes, this.#delimiter);
    this.#emit(bytes.subarray(0, line.start));
    if (line.kind === 'unknown') {
      this.#held = bytes.subarray(line.start);
      return undefined;
    }
    if (this.#place === 'epilogue') {
      if (line.kind === 'next') throw toMalformed('a part follows the closing boundary');
      return line.end;
    }
    this.#place = line.kind === 'closing' ? 'epilogue' : 'header';
    return line.end;
  }

  #emit(bytes: Buffer): void {
    if (this.#place !== 'content') return;
    const content = bytes.subarray(this.#toSkip);
    this.#toSkip = Math.max(0, this.#toSkip - bytes.length);
    if (content.length > 0) this.#observer.content(content);
  }
}

type DelimiterLine =
  | { readonly kind: 'next' | 'closing'; readonly start: number; readonly end: number }
  /** No delimiter before `start`; the rest is undecided. */
  | { readonly kind: 'unknown'; readonly start: number };

/** Finds the first delimiter line; `start` is where its line end begins. */
function findDelimiter(bytes: Buffer, delimiter: Buffer): DelimiterLine {
  const bare = delimiter.subarray(1);
  for (let from = 0; ;) {
    const at = bytes.indexOf(bare, from);
    if (at === -1) return { kind: 'unknown', start: findBegun(bytes, delimiter, from) };
    const start = bytes[at - 1] === carriageReturn ? at - 1 : at;
    const rest = readRestOfLine(bytes, at + bare.length);
    if (rest.kind === 'unknown') return { kind: 'unknown', start };
    if (rest.kind === 'bare' || (rest.kind !== 'content' && start === at)) {
      throw toMalformed('a boundary line begins or ends with a bare line feed');
    }
    if (rest.kind !== 'content') return { kind: rest.kind, start, end: rest.end };
    from = at + 1;
  }
}

type RestOfLine =
  | { readonly kind: 'next' | 'closing'; readonly end: number }
  | { readonly kind: 'content' }
  | { readonly kind: 'bare' }
  | { readonly kind: 'unknown' };

/** Decides by the bytes after a boundary whether it stands on a line of its own. */
function readRestOfLine(bytes: Buffer, from: number): RestOfLine {
  if (bytes[from] === dash && from + 1 < bytes.length) {
    return bytes[from + 1] === dash ? { kind: 'closing', end: from + 2 } : { kind: 'content' };
  }
  let at = from;
  while (bytes[at] === space || bytes[at] === tab) at += 1;
  if (at - from > maxPaddingBytes) throw toMalformed('a boundary is followed by too much whitespace');
  const [first, second] = [bytes[at], bytes[at + 1]];
  if (first === lineFeed) return { kind: 'bare' };
  if (first === undefined || (second === undefined && (first === carriageReturn || first === dash))) {
    return { kind: 'unknown' };
  }
  if (first === carriageReturn && second === lineFeed) return { kind: 'next', end: at + 2 };
  if (at > from) throw toMalformed('a boundary is followed by something else on its line');
  return { kind: 'content' };
}

/** Where a delimiter that continues in the next chunk may begin; the length if there is none. */
function findBegun(bytes: Buffer, delimiter: Buffer, from: number): number {
  for (let at = Math.max(from, bytes.length - delimiter.length + 1); at < bytes.length; at++) {
    if (bytes[at] !== carriageReturn && bytes[at] !== lineFeed) continue;
    const tail = bytes.subarray(at);
    if (isPrefix(tail, delimiter) || isPrefix(tail, delimiter.subarray(1))) return at;
  }
  return bytes.length;
}

function isPrefix(bytes: Buffer, whole: Buffer): boolean {
  return bytes.equals(whole.subarray(0, bytes.length));
}
