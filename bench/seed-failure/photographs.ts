import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makePhoto } from '../../test/fixtures/pictures.ts';

/** Uploads at the same time. */
export const uploadCount = 24;

/** As many photographs as there are uploads: those of a folder, again and again if need be, or made ones. */
export async function gatherPhotos(dir: string | undefined): Promise<Blob[]> {
  if (dir === undefined) {
    const photos = Array.from({ length: uploadCount }, (_, index) => makePhoto(index + 1));
    return (await Promise.all(photos)).map(toBlob);
  }
  const names = readdirSync(dir).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
  const photos = names.slice(0, uploadCount).map((name) => toBlob(readFileSync(path.join(dir, name))));
  return Array.from({ length: uploadCount }, (_, index) => {
    const photo = photos[index % photos.length];
    if (photo === undefined) throw new Error(`${dir} holds no .jpg, .png or .webp`);
    return photo;
  });
}

function toBlob(bytes: Buffer): Blob {
  return new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' });
}
