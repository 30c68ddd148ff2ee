const white = [0.964_2, 1, 0.824_9] as const;

/** A version 2 profile of a display, with tags beside those that every profile has. */
export function writeProfile(space: 'RGB ' | 'GRAY', tags: Readonly<Record<string, Buffer>>): Buffer {
  const description = Buffer.alloc(104);
  description.write('desc\0\0\0\0\0\0\0\x05test', 'latin1');
  const copyright = Buffer.from('text\0\0\0\0none\0\0\0\0', 'latin1');
  const all = Object.entries({ desc: description, cprt: copyright, wtpt: toXyzTag(white), ...tags });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(0x02_10_00_00, 8);
  header.write(`mntr${space}XYZ `, 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  toXyzTag(white).copy(header, 68, 8);
  const table = Buffer.alloc(4 + 12 * all.length);
  table.writeUInt32BE(all.length, 0);
  let offset = header.length + table.length;
  for (const [index, [name, data]] of all.entries()) {
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * index);
    table.writeUInt32BE(data.length, 12 + 12 * index);
    offset += data.length;
  }
  header.writeUInt32BE(offset, 0);
  return Buffer.concat([header, table, ...all.map(([, data]) => data)]);
}

/** A curve that is a power. */
export function toCurveTag(exponent: number): Buffer {
  const tag = Buffer.alloc(16);
  tag.write('curv', 'latin1');
  tag.writeUInt32BE(1, 8);
  tag.writeUInt16BE(Math.round(exponent * 256), 12);
  return tag;
}

/** An XYZ tag with three numbers of 16.16 bits. */
export function toXyzTag(values: readonly number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 'latin1');
  for (const [index, value] of values.entries()) tag.writeInt32BE(Math.round(value * 65_536), 8 + 4 * index);
  return tag;
}
