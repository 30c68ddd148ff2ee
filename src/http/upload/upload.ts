import type { UploadedImage } from '../../check/types.ts';
import type { Config } from '../../config/schema.ts';
import { ServiceError } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type FieldValues, toFieldValues } from '../form/field-names.ts';
import { createFormReader } from '../form/form-reader.ts';
import type { Permit } from './byte-budget.ts';
import { readRawBody } from './raw-body.ts';
import type { UploadPlan } from './upload-plan.ts';

/** A request body, received. */
export interface Upload {
  readonly images: readonly UploadedImage[];
  /** Values of the form. */
  readonly fields: FieldValues;
  /** From the start of reading to the last byte. */
  readonly uploadMs: number;
  /** On the clock of `performance.now()`. */
  readonly receivedAt: number;
}

const noFields = toFieldValues(() => []);

/** Creates the reader of uploads, multipart or raw. */
export function createUploadReader(
  limits: Config['upload'],
): (exchange: Exchange, plan: UploadPlan, permit: Permit) => Promise<Upload> {
  const readForm = createFormReader(limits);
  return async (exchange, plan, permit) => {
    const startedAt = performance.now();
    acceptBody(exchange);
    const bodyLimits = { ...limits, maxBodyBytes: plan.maxBodyBytes, permit };
    const form =
      plan.kind === 'multipart'
        ? await readForm(exchange, bodyLimits)
        : { images: [{ name: 'upload', bytes: await readRawBody(exchange, bodyLimits) }], fields: noFields };
    const receivedAt = performance.now();
    if (form.images.length === 0) {
      throw new ServiceError('ERR_UPLOAD_MISSING', 'the form has no file in the field "image"');
    }
    if (form.images.every(({ bytes }) => bytes.length === 0)) {
      throw new ServiceError('ERR_UPLOAD_MISSING', 'the image is empty');
    }
    return { ...form, uploadMs: receivedAt - startedAt, receivedAt };
  };
}

/** Lets a client go on that waits for a word before it sends its body (RFC 9110, 10.1.1). */
function acceptBody({ request, response }: Exchange): void {
  if (/\b100-continue\b/i.test(request.headers.expect ?? '') && request.httpVersion === '1.1') response.writeContinue();
}
