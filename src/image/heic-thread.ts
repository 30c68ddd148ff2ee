import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { HeicAnswer, HeicTask } from './heic.ts';
import { toTiffHead } from './plain-tiff.ts';

/** The part of libheif's Emscripten exports that is used. */
interface Libheif {
  readonly heif_error_code: { readonly heif_error_Ok: object };
  readonly heif_colorspace: { readonly heif_colorspace_RGB: object };
  readonly heif_chroma: Readonly<Record<'heif_chroma_interleaved_RGB' | 'heif_chroma_interleaved_RGBA', object>>;
  readonly heif_channel: { readonly heif_channel_interleaved: object };
  heif_context_alloc(): object;
  heif_context_read_from_memory(context: object, bytes: Uint8Array): { code: object; message: string };
  heif_js_context_get_primary_image_handle(context: object): Failure | object;
  heif_image_handle_is_premultiplied_alpha(handle: object): number;
  heif_js_decode_image2(handle: object, colours: object, layout: object): Failure | Decoded;
}

interface Failure {
  readonly code: object;
  readonly message: string;
}

interface Decoded {
  readonly channels: readonly {
    readonly id: object;
    readonly width: number;
    readonly height: number;
    /** Bytes from row to row. */
    readonly stride: number;
    /** Memory of the decoder. */
    readonly data: Uint8Array;
  }[];
}

/** Node has it, and declares no type for it. */
declare const WebAssembly: { readonly Memory: { readonly prototype: { grow: Grow } } };
type Grow = (this: { readonly buffer: ArrayBuffer }, pages: number) => number;

const pageBytes = 65_536;

/** Emscripten grows the memory of the decoder by this alone; a refusal is an allocation that fails. */
function limitMemory(maxBytes: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function limited(pages) {
    if (this.buffer.byteLength + pages * pageBytes > maxBytes) {
      throw new RangeError('the decoder exceeds its memory limit');
    }
    return grow.call(this, pages);
  };
}

function loadLibheif(): Libheif {
  const require = createRequire(import.meta.url);
  const create = require('libheif-js/libheif-wasm/libheif.js') as (options: object) => Libheif;
  const wasmBinary = readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'));
  return create({ wasmBinary, print: () => undefined, printErr: () => undefined });
}

function isFailure(result: object): result is Failure {
  return 'code' in result;
}

/** Decodes the primary picture, upright, into an uncompressed TIFF. @throws Error where it does not decode */
function decode({ bytes, facts, maxMemoryBytes }: HeicTask): Uint8Array<ArrayBuffer> {
  limitMemory(maxMemoryBytes);
  const libheif = loadLibheif();
  const context = libheif.heif_context_alloc();
  const { code, message } = libheif.heif_context_read_from_memory(context, bytes);
  if (code !== libheif.heif_error_code.heif_error_Ok) throw new Error(message);
  const handle = libheif.heif_js_context_get_primary_image_handle(context);
  if (isFailure(handle)) throw new Error(handle.message);
  const { heif_chroma_interleaved_RGB: rgb, heif_chroma_interleaved_RGBA: rgba } = libheif.heif_chroma;
  const layout = facts.hasAlpha ? rgba : rgb;
  const decoded = libheif.heif_js_decode_image2(handle, libheif.heif_colorspace.heif_colorspace_RGB, layout);
  if (isFailure(decoded)) throw new Error(decoded.message);
  const isPremultiplied = libheif.heif_image_handle_is_premultiplied_alpha(handle) !== 0;
  const plane = decoded.channels.find(({ id }) => id === libheif.heif_channel.heif_channel_interleaved);
  if (plane?.width !== facts.width || plane.height !== facts.height) {
    throw new Error('its size is not the size in its header');
  }
  const channels = facts.hasAlpha ? 4 : 3;
  const profile = facts.profile && bytes.subarray(facts.profile.start, facts.profile.end);
  const head = toTiffHead({ width: plane.width, height: plane.height, channels, isPremultiplied, profile });
  const rowBytes = plane.width * channels;
  const tiff = new Uint8Array(head.length + rowBytes * plane.height);
  tiff.set(head);
  for (let row = 0; row < plane.height; row += 1) {
    const start = row * plane.stride;
    tiff.set(plane.data.subarray(start, start + rowBytes), head.length + row * rowBytes);
  }
  return tiff;
}

function answer(): HeicAnswer {
  try {
    return { tiff: decode(workerData as HeicTask) };
  } catch (thrown) {
    return { reason: String(thrown) };
  }
}

const answered = answer();
parentPort?.postMessage(answered, 'tiff' in answered ? [answered.tiff.buffer] : []);
