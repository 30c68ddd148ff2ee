import type { OpsAnswer, OpsPath } from '../ipc/messages.ts';

/** What the rooms of a worker ask and report to the primary. */
export interface PrimaryLink {
  readonly ask: (path: OpsPath) => Promise<OpsAnswer>;
  /** A model thread hangs: this process serves what it can until another one has taken over. */
  readonly tellStuck: (reason: string, suspects: readonly string[]) => void;
  /** Work on these timed out on an otherwise idle worker. */
  readonly tellStrike: (suspects: readonly string[]) => void;
  readonly tellCleared: (suspect: string) => void;
}
