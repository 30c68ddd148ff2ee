import type { FormatRow } from './format-row.ts';

/** The beginning of an ISO base media file of a brand. */
function toMedia(brand: string): string {
  return `\0\0\0\x14ftyp${brand}\0\0\0\0${brand}`;
}

const beginnings: Readonly<Record<string, string>> = {
  HEIC: toMedia('heic'),
  'HEIF of other codecs': toMedia('mif1'),
  'JPEG XL': '\0\0\0\x0cJXL \r\n\x87\n',
  'JPEG 2000': '\0\0\0\x0cjP  \r\n\x87\n',
  'JPEG XR, BPG, BMP, ICO, PSD, XCF, PNM, QOI, DDS, OpenEXR, …': '8BPS\0\x01',
  'camera raw: CR3, RAF, X3F, MRW, CRW, RW2, ORF': 'FUJIFILMCCD-RAW 0201',
  'SVG, EPS, WMF, EMF': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  PDF: '%PDF-1.7\n',
  'video: MP4, QuickTime, WebM, Matroska, AVI, MPEG, WMV, FLV, Ogg': toMedia('isom'),
  'HTML, ZIP': '<!doctype html>',
  'anything else': 'hello',
};

/** What is known by its bytes and refused by name. */
export const otherRows = Object.entries(beginnings).map(([picture, text]): FormatRow => ({
  picture,
  make: () => Buffer.from(text.padEnd(64, '\0'), 'latin1'),
  refused: 'ERR_IMAGE_UNSUPPORTED',
}));
