import { ServiceError } from '../errors.ts';
import { areHevcBrands, hasMagic, listBrands, toLatin1 } from './signature.ts';

/** What to ask the client for instead. */
const advice = {
  picture: 'ask the client for JPEG',
  raw: 'ask the client for the JPEG that the camera or its software makes of it',
  drawing: 'ask the client to export it as PNG or JPEG',
  video: 'ask the client for a picture, for example one frame as JPEG',
  other: 'ask the client for a picture',
} as const;

/** A format that is known, and not accepted. */
interface RefusedFormat {
  readonly name: string;
  readonly kind: keyof typeof advice;
}

/** Where a magic is, in Latin-1. */
type Magic = readonly [at: number, text: string];

type Signature = readonly [name: string, kind: RefusedFormat['kind'], ...magics: readonly Magic[]];

/** All magics of a line have to be there. */
const signatures: readonly Signature[] = [
  ['JPEG XL', 'picture', [0, '\xff\x0a']],
  ['JPEG XL', 'picture', [0, '\0\0\0\x0cJXL \r\n\x87\n']],
  ['JPEG 2000', 'picture', [0, '\0\0\0\x0cjP  \r\n\x87\n']],
  ['JPEG 2000', 'picture', [0, '\xff\x4f\xff\x51']],
  ['JPEG XR', 'picture', [0, 'II\xbc']],
  ['BPG', 'picture', [0, 'BPG\xfb']],
  ['BMP', 'picture', [0, 'BM'], [6, '\0\0\0\0']],
  ['ICNS', 'picture', [0, 'icns']],
  ['PSD', 'picture', [0, '8BPS']],
  ['XCF', 'picture', [0, 'gimp xcf ']],
  ['OpenEXR', 'picture', [0, '\x76\x2f\x31\x01']],
  ['Radiance HDR', 'picture', [0, '#?RADIANCE']],
  ['DDS', 'picture', [0, 'DDS ']],
  ['QOI', 'picture', [0, 'qoif']],
  ['MNG', 'picture', [0, '\x8aMNG\r\n\x1a\n']],
  ['JNG', 'picture', [0, '\x8bJNG\r\n\x1a\n']],
  ['DICOM', 'picture', [128, 'DICM']],
  ['FITS', 'picture', [0, 'SIMPLE  =']],
  ['DjVu', 'picture', [0, 'AT&TFORM']],
  ['RAF camera raw', 'raw', [0, 'FUJIFILMCCD-RAW']],
  ['X3F camera raw', 'raw', [0, 'FOVb']],
  ['MRW camera raw', 'raw', [0, '\0MRM']],
  ['CRW camera raw', 'raw', [6, 'HEAPCCDR']],
  ['RW2 camera raw', 'raw', [0, 'IIU\0']],
  ['ORF camera raw', 'raw', [0, 'IIRO']],
  ['ORF camera raw', 'raw', [0, 'IIRS']],
  ['ORF camera raw', 'raw', [0, 'MMOR']],
  ['EPS', 'drawing', [0, '%!PS']],
  ['EPS', 'drawing', [0, '\xc5\xd0\xd3\xc6']],
  ['WMF', 'drawing', [0, '\xd7\xcd\xc6\x9a']],
  ['EMF', 'drawing', [0, '\x01\0\0\0'], [40, ' EMF']],
  ['WebM or Matroska video', 'video', [0, '\x1a\x45\xdf\xa3']],
  ['AVI video', 'video', [0, 'RIFF'], [8, 'AVI ']],
  ['FLV video', 'video', [0, 'FLV\x01']],
  ['WMV video', 'video', [0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11']],
  ['Ogg video', 'video', [0, 'OggS']],
  ['MPEG video', 'video', [0, '\0\0\x01\xba']],
  ['MPEG video', 'video', [0, '\0\0\x01\xb3']],
  ['MPEG video', 'video', [0, 'G'], [188, 'G'], [376, 'G']],
  ['QuickTime video', 'video', [4, 'moov']],
  ['QuickTime video', 'video', [4, 'mdat']],
  ['QuickTime video', 'video', [4, 'wide']],
  ['a ZIP archive', 'other', [0, 'PK\x03\x04']],
];

/** Comments and declarations may come before the first element. */
const textBytes = 4096;
/** Readers look for the beginning of a PDF so far. */
const pdfBytes = 1024;

/**
 * The error for bytes that are none of the accepted formats: by name where they are of another that is known.
 */
export function toUnsupported(bytes: Uint8Array): ServiceError {
  const format = nameFormat(bytes);
  if (format === undefined) {
    return new ServiceError('ERR_IMAGE_UNSUPPORTED', 'the bytes are not JPEG, PNG, WebP, GIF, AVIF or TIFF');
  }
  return toRefused(format);
}

/** The error for camera raw inside of TIFF. */
export function toRefusedRaw(name: string): ServiceError {
  return toRefused({ name: `${name} camera raw`, kind: 'raw' });
}

function toRefused({ name, kind }: RefusedFormat): ServiceError {
  return new ServiceError('ERR_IMAGE_UNSUPPORTED', `${name} is not accepted: ${advice[kind]}`);
}

function nameFormat(bytes: Uint8Array): RefusedFormat | undefined {
  const brands = listBrands(bytes);
  if (brands.length > 0) return nameMedia(brands);
  const found = signatures.find(([, , ...magics]) => magics.every(([at, text]) => hasMagic(bytes, text, at)));
  if (found !== undefined) return { name: found[0], kind: found[1] };
  return nameIcon(bytes) ?? nameText(bytes);
}

/** A file of the ISO base media format, which is neither AVIF nor anything else that is accepted. */
function nameMedia(brands: readonly string[]): RefusedFormat {
  const [major = ''] = brands;
  if (areHevcBrands(brands)) return { name: 'HEIC', kind: 'picture' };
  if (brands.some((brand) => /^(mif|msf|miaf|vvi|evb|jpeg|j2k)/.test(brand))) return { name: 'HEIF', kind: 'picture' };
  if (major === 'crx ') return { name: 'CR3 camera raw', kind: 'raw' };
  return { name: major === 'qt  ' ? 'QuickTime video' : 'MP4 video', kind: 'video' };
}

/** A directory of icons or pointers, with its number of pictures. */
function nameIcon(bytes: Uint8Array): RefusedFormat | undefined {
  const isDirectory = hasMagic(bytes, '\0\0\x01\0') || hasMagic(bytes, '\0\0\x02\0');
  return isDirectory && (bytes[4] ?? 0) > 0 && bytes[5] === 0 ? { name: 'ICO', kind: 'picture' } : undefined;
}

function nameText(bytes: Uint8Array): RefusedFormat | undefined {
  // In UTF-16 every second byte is zero.
  const text = toLatin1(bytes.subarray(0, textBytes)).replaceAll('\0', '');
  const start = text.replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '').trimStart();
  if (/^<(!doctype html|html)/i.test(start)) return { name: 'HTML', kind: 'other' };
  if (start.startsWith('<') && /<svg[\s/>]/i.test(start)) return { name: 'SVG', kind: 'drawing' };
  if (/^P[1-7]\s+[\dW#]/.test(start)) return { name: 'PNM', kind: 'picture' };
  return toLatin1(bytes.subarray(0, pdfBytes)).includes('%PDF-') ? { name: 'PDF', kind: 'drawing' } : undefined;
}
