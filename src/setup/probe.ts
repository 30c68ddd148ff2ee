// A short-lived process: loads the engine named by its argument, runs one operation and sends its parent the result.
import { toMessage } from '../errors.ts';

/** Result of the probe: the version of the engine's library, or why it doesn't work. */
export type ProbeReport = { readonly version: string } | { readonly failure: string };

async function probe(engine: string | undefined): Promise<ProbeReport> {
  try {
    const version = engine === 'wasm' ? await loadWasm() : await loadNative();
    await runOperation();
    return { version };
  } catch (thrown) {
    return { failure: toMessage(thrown) };
  }
}

async function loadNative(): Promise<string> {
  const { loadTensorFlow } = await import('../inference/engines/tensorflow.ts');
  const tf = loadTensorFlow();
  const backend = tf.backend();
  if ('binding' in backend && typeof backend.binding === 'object' && backend.binding !== null) {
    return String((backend.binding as { TF_Version?: unknown }).TF_Version);
  }
  throw new Error(`tfjs-node runs on ${tf.getBackend()} instead of the native library`);
}

async function loadWasm(): Promise<string> {
  const { createWasmEngine } = await import('../inference/engines/wasm-engine.ts');
  await createWasmEngine();
  const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
  return version_wasm;
}

/** A matrix product goes through the libraries' vector code, which a CPU may lack. */
async function runOperation(): Promise<void> {
  const tf = await import('@tensorflow/tfjs-core');
  const product = await tf.tidy(() => tf.matMul([[1, 2]], [[3], [4]])).data();
  if (product[0] !== 11) {
    throw new Error(`1·3 + 2·4 gave ${String(product[0])}`);
  }
}

process.send?.(await probe(process.argv[2]));
process.disconnect();
