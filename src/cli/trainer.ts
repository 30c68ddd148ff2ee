import { existsSync } from 'node:fs';
import { exitCodes, ExitError } from '../errors.ts';

/**
 * Checks that the trainer is available: the npm package does not include it.
 * @throws {@link ExitError} 78 in an installed package
 */
export function assertTrainer(command: string): void {
  if (existsSync(new URL('../train', import.meta.url))) return;
  const message = `${command} needs a checkout of the project: the installed package has no trainer`;
  throw new ExitError(exitCodes.configuration, message);
}
