/** A body as it goes over the wire. */
export interface Upload {
  readonly contentType: string;
  readonly body: Buffer;
}

const boundary = 'image-check-bench-7d93b1c2';

/** Puts pictures into a form, each as a field `image`, or takes the only one as it is. */
export function toUpload(kind: 'multipart' | 'raw', pictures: readonly Buffer[], type = 'image/jpeg'): Upload {
  const [picture] = pictures;
  if (kind === 'raw') {
    if (picture === undefined || pictures.length > 1) throw new Error('a raw body holds one picture');
    return { contentType: type, body: picture };
  }
  const parts = pictures.flatMap((bytes, index) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="${String(index)}"\r\nContent-Type: ${type}\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

/** Writes out a whole request. */
export function toHttpRequest(path: string, { contentType, body }: Upload): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${contentType}\r\nContent-Length: ${String(body.length)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
