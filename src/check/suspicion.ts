import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { InFlightJournal } from '../ipc/in-flight-journal.ts';
import type { Suspicions } from '../ipc/messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';

/** Work that went well lately is remembered for so many images. */
const maxHarmless = 4096;

/** What suspicion needs of the process around it. */
export interface SuspicionLink {
  /** Where the images that native code works on are noted; undefined where nobody would read it. */
  readonly journal: InFlightJournal | undefined;
  /** Work on these took too long on an otherwise idle worker. */
  readonly onSuspected: (suspects: readonly string[]) => void;
  /** A suspected image went through: whatever happened was not its doing. */
  readonly onCleared: (suspect: string) => void;
}

const noLink: SuspicionLink = { journal: undefined, onSuspected: () => undefined, onCleared: () => undefined };

/** The SHA-256 of an upload, in hex. */
export function toImageHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Names the decoding of an image among what may hang or crash a worker. */
export function toDecodeSuspect(imageHash: string): string {
  return `${imageHash}:decode`;
}

/** Names a model's run on an image among what may hang or crash a worker. */
export function toRunSuspect(imageHash: string, model: ModelVersion): string {
  return `${imageHash}:${toModelKey(model)}`;
}

/** One worker's part in the quarantine: refuses what is in it, and notes what it works on for the case that it dies. */
export class Suspicion {
  readonly #link: SuspicionLink;
  readonly #harmless = new Set<string>();
  #suspected = new Set<string>();
  #quarantined = new Set<string>();

  constructor(link: SuspicionLink = noLink) {
    this.#link = link;
  }

  /** Takes over what is known by all workers together. */
  learn({ suspected, quarantined }: Suspicions): void {
    this.#suspected = new Set(suspected);
    this.#quarantined = new Set(quarantined);
  }

  /** @throws ERR_IMAGE_QUARANTINED */
  assertTrusted(suspects: readonly string[]): void {
    if (!suspects.some((suspect) => this.#quarantined.has(suspect))) return;
    const detail = 'this very image hung or crashed a worker, or ran out of time, twice; it is refused for a while';
    throw new ServiceError('ERR_IMAGE_QUARANTINED', detail);
  }

  /** Notes what native code begins to work on; the returned function is called when it is over. */
  enter(suspects: readonly string[]): () => void {
    return this.#link.journal?.enter(this.listSuspicious(suspects)) ?? (() => undefined);
  }

  /** Reports work that took too long on an otherwise idle worker. */
  accuse(suspect: string): void {
    const suspicious = this.listSuspicious([suspect]);
    if (suspicious.length > 0) this.#link.onSuspected(suspicious);
  }

  /** Leaves out what went well before: an image that was in the wrong batch at the wrong time. */
  listSuspicious(suspects: readonly string[]): string[] {
    return suspects.filter((suspect) => !this.#harmless.has(suspect));
  }

  /** Remembers that work on an image went well. */
  noteHarmless(suspect: string): void {
    // Put last, as the one that was seen last.
    this.#harmless.delete(suspect);
    this.#harmless.add(suspect);
    const [oldest] = this.#harmless;
    if (oldest !== undefined && this.#harmless.size > maxHarmless) this.#harmless.delete(oldest);
    if (this.#suspected.delete(suspect)) this.#link.onCleared(suspect);
  }
}
