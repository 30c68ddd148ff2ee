import { toBox, toFullBox } from './containers.ts';

/** What libheif 1.23 and x265 4.3 made of 64 × 48 pixels in four colours, 4:4:4: the configuration, … */
const configuration = Buffer.from(
  'AAAAd2h2Y0MBBAgAAACeOAAAAAAe8AD8//j4AAAPA2AAAQAXQAEMAf//BAgAAAMAnjgAAAMAAB66AkBhAAEAKkIBAQQIAAADAJ44AAADAAAekAQQILLdXJTXNwEN' +
    'BgQAAAMAZAAAAwAEIGIAAQAIRAHBcxgwCJA=',
  'base64',
);
/** … and the coded picture, which has 64 rows. */
export const coded = Buffer.from(
  'AAABDigBrwY4Wve236WH///irHofx0KidFb8aVjaq9vSt9+RCv/9+wI933S//wr7wmuOqxWX//H33OV0c3+HV6+jfiDCuK3+8/fabM/xxuK6AfGsL00uQQTFwA3r' +
    'AyB+ufvU+8aqR//CjpF+SS2c78QI/+zqPXhZ0gPho7/t9/H0+HYhefmiPk+goUmUKSYXpSSlo/lzcLuxsZcfNr18ljJ638orYPsS+goFLbXdmG+lUxjgQzQBFFz9' +
    'mLp2UFDf0n/7pnRXAiwOBIPuyvshWQhvRk4AsUkgoS1LZZz/n4QTFmeW3DUks94qd2pSn4j4QSfm5qVoO/Ik0xpUfctddbHK2F/3n7Bk5leAmnz0a+7enQ==',
  'base64',
);

function toLongs(...values: readonly number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
}

function toShorts(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)));
}

export function toExtents(width: number, height: number): Buffer {
  return toFullBox('ispe', 0, toLongs(width, height));
}

/** The property that cuts off the rows which only pad the picture. */
const cut = toBox('clap', toLongs(64, 1, 48, 1, 0, 1, 0x1_0000_0000 - 16, 2));

/** Rotated by quarters, anticlockwise. */
export function toTurn(quarters: number): Buffer {
  return toBox('irot', Buffer.of(quarters));
}

/** Mirrored: 0 exchanges top and bottom, 1 left and right. */
export function toMirror(axis: 0 | 1): Buffer {
  return toBox('imir', Buffer.of(axis));
}

export function toProfile(profile: Uint8Array): Buffer {
  return toBox('colr', Buffer.from('prof', 'latin1'), profile);
}

interface Item {
  readonly id: number;
  readonly type: string;
  readonly data: Uint8Array;
  readonly properties: readonly Buffer[];
  readonly parts?: readonly number[];
}

/** A HEIC of the picture in four colours, with more properties. */
export function writeHeic(
  properties: readonly Buffer[] = [],
  data: Uint8Array = coded,
  size = toExtents(64, 64),
): Buffer {
  return writeItems([{ id: 1, type: 'hvc1', data, properties: [configuration, size, cut, ...properties] }]);
}

/** A HEIC that is put together from a row of tiles, each the whole coded picture. */
export function writeGrid(columns: number): Buffer {
  const grid = Buffer.concat([Buffer.of(0, 0, 0, columns - 1), toShorts(columns * 64, 64)]);
  const tiles = Array.from({ length: columns }, (_, index) => ({
    id: index + 2,
    type: 'hvc1',
    data: coded,
    properties: [configuration, toExtents(64, 64)],
  }));
  const extents = toExtents(columns * 64, 64);
  return writeItems([
    { id: 1, type: 'grid', data: grid, properties: [extents], parts: tiles.map(({ id }) => id) },
    ...tiles,
  ]);
}

/** The first item is the picture. */
function writeItems(items: readonly Item[]): Buffer {
  const ftyp = toBox('ftyp', Buffer.from('heic\0\0\0\0mif1heic', 'latin1'));
  const behind = ftyp.length + toMeta(items, 0).length + 8;
  const data = items.map((item) => item.data);
  return Buffer.concat([ftyp, toMeta(items, behind), toBox('mdat', ...data)]);
}

function toMeta(items: readonly Item[], dataAt: number): Buffer {
  const handler = toFullBox('hdlr', 0, toLongs(0), Buffer.from(`pict${'\0'.repeat(13)}`, 'latin1'));
  const infos = items.map(({ id, type }) => toFullBox('infe', 2, toShorts(id, 0), Buffer.from(`${type}\0`, 'latin1')));
  const references = items.flatMap(({ id, parts }) =>
    parts ? [toBox('dimg', toShorts(id, parts.length, ...parts))] : [],
  );
  return toFullBox(
    'meta',
    0,
    handler,
    toFullBox('pitm', 0, toShorts(1)),
    toFullBox('iinf', 0, toShorts(items.length), ...infos),
    ...(references.length > 0 ? [toFullBox('iref', 0, ...references)] : []),
    toProperties(items),
    toFullBox('iloc', 0, Buffer.of(0x44, 0), toShorts(items.length), ...toPlaces(items, dataAt)),
  );
}

function toProperties(items: readonly Item[]): Buffer {
  let next = 1;
  const associations = items.map(({ id, properties }) => {
    const indices = properties.map(() => next++ | 0x80);
    return Buffer.concat([toShorts(id), Buffer.of(indices.length, ...indices)]);
  });
  const container = toBox('ipco', ...items.flatMap(({ properties }) => properties));
  return toBox('iprp', container, toFullBox('ipma', 0, toLongs(items.length), ...associations));
}

function toPlaces(items: readonly Item[], dataAt: number): Buffer[] {
  let at = dataAt;
  return items.map(({ id, data }) => {
    const place = Buffer.concat([toShorts(id, 0, 1), toLongs(at, data.length)]);
    at += data.length;
    return place;
  });
}
