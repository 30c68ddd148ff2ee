import { toNativeEnvironment } from '../config/native-environment.ts';
import { chooseEngine, type EngineChoice } from '../setup/engine-choice.ts';

/**
 * Prepares this process to run models: sets the environment of native code before anything loads it, then chooses the
 * engine.
 * @throws ExitError as `chooseEngine`
 */
export function prepareEngine(wanted: 'auto' | 'tensorflow' | 'wasm'): Promise<EngineChoice> {
  Object.assign(process.env, toNativeEnvironment(process.env));
  return chooseEngine({ wanted, progress: 'lines', environment: process.env });
}
