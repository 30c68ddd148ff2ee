import type { OpsAnswer, OpsPath } from '../ipc/messages.ts';

/** What the rooms of a worker ask and tell the primary. */
export interface PrimaryLink {
  readonly ask: (path: OpsPath) => Promise<OpsAnswer>;
  /** A model thread hangs: this process goes on as well as it can until another has taken over. */
  readonly tellStuck: (reason: string, suspects: readonly string[]) => void;
  /** Work on these timed out on an otherwise idle worker. */
  readonly tellStrike: (suspects: readonly string[]) => void;
  readonly tellCleared: (suspect: string) => void;
}
