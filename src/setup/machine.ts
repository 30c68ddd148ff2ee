import { closeSync, openSync, readSync } from 'node:fs';

/** What decides whether the wheel's libraries can run here. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Version of the running glibc; undefined where the C library is another one. */
  readonly glibc: string | undefined;
  readonly cpuModel: string;
  /** Instruction sets as /proc/cpuinfo names them; empty where it doesn't. */
  readonly cpuFlags: readonly string[];
}

/** Reads what this machine is, in a few milliseconds. */
export function describeMachine(): Machine {
  const cpuInfo = readFirstCpu();
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: readGlibcVersion(),
    cpuModel: /^model name\s*:\s*(.*)$/m.exec(cpuInfo)?.[1] ?? 'unknown',
    cpuFlags: /^flags\s*:\s*(.*)$/m.exec(cpuInfo)?.[1]?.split(' ') ?? [],
  };
}

/** Says why the pinned TensorFlow can't run on `machine`; undefined when nothing speaks against it. */
export function findObstacle(machine: Machine): string | undefined {
  if (machine.platform !== 'linux' || machine.arch !== 'x64') {
    return `native TensorFlow is provided for linux x64 only, this is ${machine.platform} ${machine.arch}`;
  }
  if (machine.glibc === undefined) {
    return 'native TensorFlow needs glibc, and the C library here is another one (musl?)';
  }
  if (isWithoutAvx(machine)) {
    return 'this CPU has no AVX, which native TensorFlow needs';
  }
  return undefined;
}

/** Tells a CPU that certainly lacks AVX; one whose flags are unknown may have it. */
export function isWithoutAvx(machine: Machine): boolean {
  return machine.cpuFlags.length > 0 && !machine.cpuFlags.includes('avx');
}

function readGlibcVersion(): string | undefined {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) {
    return undefined;
  }
  const { header } = report;
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) {
    return undefined;
  }
  return typeof header.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : undefined;
}

/** Reads the first CPU only: the whole file takes the kernel milliseconds for every CPU. */
function readFirstCpu(): string {
  const buffer = Buffer.alloc(8192);
  try {
    const file = openSync('/proc/cpuinfo', 'r');
    try {
      return buffer.toString('latin1', 0, readSync(file, buffer));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
