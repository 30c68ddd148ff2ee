import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { InFlightJournal } from '../ipc/in-flight-journal.ts';
import type { QuarantineState } from '../ipc/messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';

/** Successful pieces of work to remember. */
const maxProven = 4096;

/** Connects a worker's part of the quarantine to the process around it. */
export interface QuarantineLink {
  /** Records the images that native code works on; undefined without a primary to read it. */
  readonly journal: InFlightJournal | undefined;
  /** Called with work that timed out on an otherwise idle worker. */
  readonly onStrike: (suspects: readonly string[]) => void;
  /** Called when a suspect was processed without harm: the image did not cause the strike. */
  readonly onCleared: (suspect: string) => void;
}

const noLink: QuarantineLink = { journal: undefined, onStrike: () => undefined, onCleared: () => undefined };

/** The SHA-256 of an upload, in hex. */
export function toImageHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Identifies the decoding of an image in strikes and in the in-flight journal. */
export function toDecodeSuspect(imageHash: string): string {
  return `${imageHash}:decode`;
}

/** Identifies a model's run on an image in strikes and in the in-flight journal. */
export function toRunSuspect(imageHash: string, model: ModelVersion): string {
  return `${imageHash}:${toModelKey(model)}`;
}

/** One worker's part of the quarantine: refuses quarantined images, and records work in flight in case it crashes. */
export class QuarantineClient {
  readonly #link: QuarantineLink;
  /** Work that succeeded recently, least recent first. */
  readonly #proven = new Set<string>();
  #suspected = new Set<string>();
  #quarantined = new Set<string>();

  constructor(link: QuarantineLink = noLink) {
    this.#link = link;
  }

  /** Replaces the state with the one that the primary broadcasts. */
  update({ suspected, quarantined }: QuarantineState): void {
    this.#suspected = new Set(suspected);
    this.#quarantined = new Set(quarantined);
  }

  /** @throws ERR_IMAGE_QUARANTINED */
  assertNotQuarantined(suspects: readonly string[]): void {
    if (!suspects.some((suspect) => this.#quarantined.has(suspect))) return;
    const detail = 'this image hung or crashed a worker, or timed out, twice; it is refused for a while';
    throw new ServiceError('ERR_IMAGE_QUARANTINED', detail);
  }

  /** Records work that native code starts; the returned function marks it as finished. */
  noteInFlight(suspects: readonly string[]): () => void {
    return this.#link.journal?.enter(this.excludeProven(suspects)) ?? (() => undefined);
  }

  /** Reports work that timed out on an otherwise idle worker, unless it succeeded before. */
  recordStrike(suspect: string): void {
    const suspects = this.excludeProven([suspect]);
    if (suspects.length > 0) this.#link.onStrike(suspects);
  }

  /** Excludes work that succeeded recently: such an image was in the wrong batch at the wrong time. */
  excludeProven(suspects: readonly string[]): string[] {
    return suspects.filter((suspect) => !this.#proven.has(suspect));
  }

  /** Remembers that work on an image succeeded. */
  recordSuccess(suspect: string): void {
    // Moved to the end, as the most recent.
    this.#proven.delete(suspect);
    this.#proven.add(suspect);
    const [oldest] = this.#proven;
    if (oldest !== undefined && this.#proven.size > maxProven) this.#proven.delete(oldest);
    if (this.#suspected.delete(suspect)) this.#link.onCleared(suspect);
  }
}
