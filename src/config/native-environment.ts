/**
 * What native TensorFlow reads from the environment of its process when it starts. One worker per CPU already
 * fills the machine, so one thread each; two malloc arenas tame glibc's growth. Values that are set already stay.
 */
export function toNativeEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const wanted = {
    TF_NUM_INTRAOP_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: '1',
    TF_CPP_MIN_LOG_LEVEL: '2',
    MALLOC_ARENA_MAX: '2',
  };
  return Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, environment[name] ?? value]));
}
