import { findTfjsNode } from './package-folder.ts';
import { defaultProbe } from './probing.ts';
import { tensorflowWheel, type Wheel } from './wheel.ts';

/** Options of the setup; all but the environment have defaults. */
export interface SetupOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Folder of tfjs-node. */
  readonly packageFolder?: string;
  readonly wheel?: Wheel;
  readonly probe?: { readonly file: string; readonly timeoutMs: number };
}

/**
 * Fills in defaults: the installed tfjs-node, the pinned wheel and this room's probe.
 * @throws UnavailableError when tfjs-node isn't installed.
 */
export function completeOptions(options: SetupOptions): Required<SetupOptions> {
  return {
    environment: options.environment,
    packageFolder: options.packageFolder ?? findTfjsNode(),
    wheel: options.wheel ?? tensorflowWheel,
    probe: options.probe ?? defaultProbe,
  };
}
