import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { ServiceError } from '../../errors.ts';
import { imageField, isTextField, refuseMistaken, textFields } from './field-names.ts';
import { Framing } from './framing.ts';
import { quote, toMalformed } from './malformed-form.ts';
import { getParameter, parseParameters } from './parameters.ts';
import { parsePartHeader, type PartHeader } from './part-header.ts';

/** Django's and PHP's limit for the fields of a form. */
const maxParts = 1000;

/** A secret of this process, so no content can contain it. */
const boundary = `image-check-${randomUUID()}`;

/**
 * Normalises the body of a form for multer. busboy skips a part whose header it can't parse, and multer one without a file
 * name: the verdict would cover the other parts only. Here every known part gets a plain header, and a form with an
 * ambiguous part is rejected. Unknown text fields are dropped.
 */
export class FormBody extends Transform {
  /** The request's headers, with the content type of the normalised body. */
  readonly headers: IncomingHttpHeaders;
  /** Set by multer. */
  files: Express.Multer.File[] = [];
  /** Set by multer. */
  body: Record<string, unknown> = {};
  /** Headers of the emitted image parts; multer's file names are their indices. */
  readonly images: PartHeader[] = [];
  /** Emitted text fields. */
  texts = 0;
  readonly #framing: Framing;
  #parts = 0;
  #takeContent: (bytes: Buffer) => void = () => undefined;

  /** @throws {@link ServiceError} ERR_UPLOAD_MALFORMED if the request's Content-Type has no boundary */
  constructor(headers: IncomingHttpHeaders) {
    super();
    this.headers = { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` };
    this.#framing = new Framing(readBoundary(headers['content-type']), {
      openPart: (block) => {
        this.#openPart(parsePartHeader(block));
      },
      content: (bytes) => {
        this.#takeContent(bytes);
      },
    });
    // multer reports an error only after it has read the rest of the request, which may take a minute.
    Object.defineProperty(this, 'readable', { value: false });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    passErrors(done, () => {
      this.#framing.push(chunk);
    });
  }

  override _flush(done: TransformCallback): void {
    passErrors(done, () => {
      this.#framing.end();
      this.push(`\r\n--${boundary}--\r\n`);
    });
  }

  #openPart(header: PartHeader): void {
    this.#parts += 1;
    if (this.#parts > maxParts) throw new ServiceError('ERR_UPLOAD_FIELD', `more than ${String(maxParts)} parts`);
    const { field, fileName } = header;
    if (field === imageField) this.#openImage(header);
    else if (fileName !== undefined) throw toForeignFile(header);
    else if (isTextField(field)) this.#openText(header, field);
    else this.#ignore(header);
  }

  #openImage(header: PartHeader): void {
    assertPlainBytes(header);
    const open = () => {
      this.#pushHeader(`${imageField}"; filename="${String(this.images.push(header) - 1)}`);
      this.#takeContent = (bytes) => this.push(bytes);
    };
    if (header.fileName !== undefined) open();
    else {
      // Browsers send an empty file input as a part without name and bytes.
      this.#takeContent = (bytes) => {
        open();
        this.push(bytes);
      };
    }
  }

  #openText(header: PartHeader, field: string): void {
    assertPlainBytes(header);
    this.texts += 1;
    this.#pushHeader(field);
    this.#takeContent = (bytes) => this.push(bytes);
  }

  #ignore(header: PartHeader): void {
    const isFile = /^(?:image|multipart)\/|^application\/octet-stream$/.test(header.contentType ?? '');
    if (!isFile) refuseMistaken(header.field, [imageField, ...textFields]);
    this.#takeContent = () => {
      if (isFile) throw toForeignFile(header);
    };
  }

  #pushHeader(nameAndMore: string): void {
    this.push(`\r\n--${boundary}\r\nContent-Disposition: form-data; name="${nameAndMore}"\r\n\r\n`);
  }
}

function readBoundary(contentType = ''): string {
  const found = getParameter(parseParameters(contentType), 'boundary');
  if (found === undefined) throw toMalformed('the Content-Type has no boundary', contentType);
  return found;
}

/** Encoded bytes would be judged undecoded, and a nested form not at all. */
function assertPlainBytes({ coding, contentType, shown }: PartHeader): void {
  if (coding !== undefined) throw toMalformed(`Content-Transfer-Encoding ${quote(coding)} is not supported (${shown})`);
  if (contentType?.startsWith('multipart/') === true) {
    throw toMalformed(`a part of ${quote(contentType)} is not supported (${shown})`);
  }
}

function toForeignFile({ field }: PartHeader): ServiceError {
  return new ServiceError('ERR_UPLOAD_FIELD', `files belong in the field "image", not ${quote(field)}`);
}

function passErrors(done: TransformCallback, work: () => void): void {
  try {
    work();
    done();
  } catch (thrown) {
    done(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}
