import multer from 'multer';
import type { UploadedImage } from '../../check/types.ts';
import type { Config } from '../../config/schema.ts';
import { ServiceError, toMessage } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type BodyLimits, startBodyWatch } from '../upload/body-watch.ts';
import { createByteCollector } from '../upload/byte-collector.ts';
import { type FieldValues, imageField, type TextField, textFields, toFieldValues } from './field-names.ts';
import { toShownName } from './file-name.ts';
import { FormBody } from './form-body.ts';
import { toMalformed } from './malformed-form.ts';
import { toMulterError } from './multer-errors.ts';
import type { PartHeader } from './part-header.ts';

/** The contents of a form. */
export interface Form {
  readonly images: readonly UploadedImage[];
  readonly fields: FieldValues;
}

/** Limits of known text fields; unknown ones never reach multer. */
const fieldLimits = { fields: 32, fieldSize: 1024 };

/** Creates the reader of multipart/form-data: files of the field `image`, and the known text fields. */
export function createFormReader(limits: Config['upload']): (exchange: Exchange, body: BodyLimits) => Promise<Form> {
  const parse = multer({
    storage: createBlockStorage(limits.maxBytes),
    limits: { ...fieldLimits, fileSize: limits.maxBytes, files: limits.maxFiles },
  }).array(imageField, limits.maxFiles) as unknown as ParseForm;
  return async (exchange, bodyLimits) => {
    const { request } = exchange;
    const body = new FormBody(request.headers);
    const watch = startBodyWatch(exchange, bodyLimits);
    const parsed = parseForm(parse, body);
    request.pipe(body);
    try {
      await Promise.all([watch.whole, parsed]);
    } catch (thrown) {
      throw toMulterError(thrown, limits);
    } finally {
      watch.stop();
      request.unpipe(body);
      body.destroy();
    }
    return toForm(body);
  };
}

/** multer's middleware: it reads the headers and the stream of a request and never uses the response. */
type ParseForm = (body: FormBody, response: object, done: (thrown?: unknown) => void) => void;

function parseForm(parse: ParseForm, body: FormBody): Promise<void> {
  return new Promise((resolve, reject) => {
    parse(body, {}, (thrown) => {
      if (thrown === undefined) resolve();
      else reject(thrown instanceof Error ? thrown : new Error(toMessage(thrown)));
    });
  });
}

/** Stores each file in one block. Reports a file over the limit at once; multer's own storage waits for its end. */
function createBlockStorage(maxBytes: number): multer.StorageEngine {
  return {
    _handleFile({ headers }, file, done) {
      const collector = createByteCollector(Math.min(maxBytes, Number(headers['content-length'] ?? 65_536)));
      file.stream.on('data', collector.append);
      file.stream.once('limit', () => {
        done(new Error('over the limit'));
      });
      file.stream.once('end', () => {
        done(null, { buffer: collector.toBytes() });
      });
    },
    _removeFile(_request, _file, done) {
      done(null);
    },
  };
}

function toForm(body: FormBody): Form {
  const fields = toFieldValues((field) => readTexts(body, field));
  const texts = textFields.reduce((count, field) => count + fields[field].length, 0);
  if (body.files.length !== body.images.length || texts !== body.texts) {
    throw toMalformed('a part could not be read');
  }
  const images = body.images.map((header, index) => toImage(header, body.files[index]?.buffer ?? Buffer.alloc(0)));
  return { images, fields };
}

function readTexts({ body }: FormBody, field: TextField): string[] {
  return [body[field] ?? []].flat().map(String);
}

function toImage({ fileName, contentType = 'text/plain', shown }: PartHeader, bytes: Buffer): UploadedImage {
  if (fileName === undefined && contentType.startsWith('text/') && isText(bytes)) {
    throw new ServiceError(
      'ERR_UPLOAD_MISSING',
      `the field "image" is text, not the bytes of an image; curl needs -F image=@file (${shown})`,
    );
  }
  return { name: toShownName(fileName), bytes };
}

/** Every image format starts with a control character. */
function isText(bytes: Buffer): boolean {
  return bytes.subarray(0, 512).every((byte) => byte >= 32 || (byte >= 9 && byte <= 13));
}
