import type { EngineName } from '../../ipc/messages.ts';
import type { Engine } from './engine.ts';

/** Starts an engine in this thread; TensorFlow and wasm are each loaded only when chosen. */
export async function createEngine(name: EngineName): Promise<Engine> {
  if (name === 'tensorflow') return (await import('./tensorflow-engine.ts')).createTensorFlowEngine();
  return (await import('./wasm-engine.ts')).createWasmEngine();
}
