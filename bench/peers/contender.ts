/** Networks that are served by the peers too, with the same weights. */
export type BenchModel = 'mobilenet-224' | 'mobilenet-96' | 'quality';

/** How a contender is started. */
export interface StartOptions {
  readonly port: number;
  /** For what a contender serves beside uploads, if anything. */
  readonly opsPort: number;
  readonly workers: number;
  readonly model: BenchModel;
}

/** A service that takes pictures and answers with scores. */
export interface Contender {
  readonly name: string;
  readonly kind: 'own' | 'python' | 'node';
  readonly models: readonly BenchModel[];
  /** Path that takes one picture. */
  readonly path: string;
  /** Whether a picture is the multipart field `image`, or the body itself. */
  readonly body: 'multipart' | 'raw';
  /** To be started as the leader of a process group, and killed as one. */
  toCommand(options: StartOptions): {
    readonly command: string;
    readonly args: readonly string[];
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
  };
  /** Scores of the answer's JSON, in the order of the labels. */
  toScores(body: unknown): readonly number[];
}
