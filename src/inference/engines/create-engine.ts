import type { EngineName } from '../../ipc/messages.ts';
import type { Engine } from './engine.ts';

/** Starts an engine in this thread; each is imported only when it is chosen. */
export async function createEngine(name: EngineName): Promise<Engine> {
  switch (name) {
    case 'tensorflow':
      return (await import('./tensorflow-engine.ts')).createTensorFlowEngine();
    case 'wasm':
      return (await import('./wasm-engine.ts')).createWasmEngine();
  }
}
