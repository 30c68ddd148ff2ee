/** What became of one upload. */
export interface Upload {
  /** "answered", or what there was instead. */
  readonly ending: string;
  /** Process id of the worker that answered. */
  readonly pid?: number;
  /** Time from sending the first of all uploads. */
  readonly afterMs: number;
}

/** Uploads all photographs at the same time, each as a form on a connection of its own. */
export function uploadAll(url: string, photos: readonly Blob[], limitMs: number): Promise<Upload[]> {
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(limitMs);
  return Promise.all(
    photos.map(async (photo): Promise<Upload> => {
      const answer = await upload(url, photo, signal);
      return { ...answer, afterMs: performance.now() - startedAt };
    }),
  );
}

async function upload(url: string, photo: Blob, signal: AbortSignal): Promise<Omit<Upload, 'afterMs'>> {
  const body = new FormData();
  body.append('image', photo, 'photo.jpg');
  try {
    const response = await fetch(`${url}/v1/check`, { method: 'POST', body, signal });
    const text = await response.text();
    // A refusal of this service has a code, an error page of another server has none.
    const [, code = ''] = /"code":"(\w+)"/.exec(text) ?? [];
    if (response.status !== 200) return { ending: `status ${String(response.status)} ${code}`.trim() };
    const { worker } = JSON.parse(text) as { worker: { pid: number } };
    return { ending: 'answered', pid: worker.pid };
  } catch (thrown) {
    if (signal.aborted) return { ending: 'no answer in time' };
    const { message, cause } = thrown as Error;
    return { ending: `failed (${cause instanceof Error ? cause.message : message})` };
  }
}
