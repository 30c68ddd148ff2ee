import type { IncomingHttpHeaders } from 'node:http';
import { PassThrough } from 'node:stream';
import multer from 'multer';
import type { UploadedImage } from '../../check/types.ts';
import type { Config } from '../../config/schema.ts';
import { ServiceError, toMessage } from '../../errors.ts';
import { type BodyLimits, startBodyWatch } from './body-watch.ts';
import { createByteCollector } from './byte-collector.ts';
import type { Exchange } from '../exchange.ts';
import { toMultipartError } from './multipart-errors.ts';

/** What a form brings. */
export interface Form {
  readonly images: readonly UploadedImage[];
  /** Values of the text field `model`. */
  readonly models: readonly string[];
  /** Values of the text field `explain`. */
  readonly explain: readonly string[];
}

/** Text fields but `model` and `explain`, the buttons and tokens of a web form, are ignored within these bounds. */
const fieldLimits = {
  fields: 32,
  fieldSize: 1024,
  fieldNameSize: 100,
  fieldNestingDepth: 8,
  fieldArrayIndexLimit: 64,
  headerPairs: 32,
};

/** Creates the reader of multipart/form-data: files of the field `image`, and the text fields that are known. */
export function createFormReader(limits: Config['upload']): (exchange: Exchange, body: BodyLimits) => Promise<Form> {
  const parse = multer({
    storage: createBlockStorage(limits.maxBytes),
    limits: {
      ...fieldLimits,
      fileSize: limits.maxBytes,
      files: limits.maxFiles,
      parts: limits.maxFiles + fieldLimits.fields,
    },
    // Browsers send names as UTF-8 without saying so; busboy would take them for latin1.
    defParamCharset: 'utf8',
    // busboy's own base name of ".." is empty, and the file would be dropped without a word.
    preservePath: true,
  }).array('image', limits.maxFiles) as unknown as ParseForm;
  return async (exchange, bodyLimits) => {
    const { request } = exchange;
    const body = new FormBody(request.headers);
    const watch = startBodyWatch(exchange, bodyLimits);
    const parsed = parseForm(parse, body);
    request.pipe(body);
    try {
      await Promise.all([watch.whole, parsed]);
    } catch (thrown) {
      throw toMultipartError(thrown, limits);
    } finally {
      watch.stop();
      request.unpipe(body);
      body.destroy();
    }
    return toForm(body);
  };
}

/**
 * What multer takes for the request. It reports an error only after the rest of a readable request was read, which
 * may take a minute; this one says that it is none, so that the answer is written at once.
 */
class FormBody extends PassThrough {
  readonly headers: IncomingHttpHeaders;
  files: Express.Multer.File[] = [];
  /** Missing while multer has not begun: it passes over a type that it does not understand. */
  body: Record<string, unknown> | undefined;

  constructor(headers: IncomingHttpHeaders) {
    super();
    this.headers = headers;
    Object.defineProperty(this, 'readable', { value: false });
  }
}

/** multer's middleware: it reads the headers and the stream of a request, and nothing of a response. */
type ParseForm = (body: FormBody, response: object, done: (thrown?: unknown) => void) => void;

function parseForm(parse: ParseForm, body: FormBody): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (thrown?: unknown) => {
      if (thrown === undefined && body.body === undefined) reject(new Error('Malformed content type'));
      else if (thrown === undefined) resolve();
      else reject(thrown instanceof Error ? thrown : new Error(toMessage(thrown)));
    };
    parse(body, {}, finish);
  });
}

/** Keeps files in one block each; reports a file over the limit at once, where multer's own storage waits for its end. */
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

function toForm({ files, body = {} }: FormBody): Form {
  if (files.length === 0 && body['image'] !== undefined) {
    throw new ServiceError(
      'ERR_UPLOAD_MISSING',
      'the field "image" is text: it needs a file name (curl -F image=@file)',
    );
  }
  const images = files.map((file) => ({ name: toBaseName(file.originalname), bytes: file.buffer }));
  return { images, models: toTexts(body, 'model'), explain: toTexts(body, 'explain') };
}

function toTexts(body: Readonly<Record<string, unknown>>, field: string): string[] {
  const values = [body[field] ?? []].flat();
  if (values.every((value) => typeof value === 'string')) return values;
  throw new ServiceError('ERR_REQUEST_INVALID', `the field "${field}" is not text`);
}

/** Characters of a file name that are shown. */
const maxNameLength = 255;

/** The last part of a client's file name, which may be a path of any system. */
function toBaseName(name: string): string {
  const base = (name.split(/[/\\]/).at(-1) ?? '').replace(/\p{Cc}/gu, '').slice(0, maxNameLength);
  return base === '' || base === '.' || base === '..' ? 'upload' : base;
}
