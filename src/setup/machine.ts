import { closeSync, openSync, readSync } from 'node:fs';

/** Properties that decide whether the wheel's libraries run here. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Version of the running glibc; undefined with another C library. */
  readonly glibc: string | undefined;
  readonly cpuModel: string;
  /** Instruction sets as named by /proc/cpuinfo; empty if unknown. */
  readonly cpuFlags: readonly string[];
}

/** Reads the properties of this machine, in a few milliseconds. */
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

/** Why the pinned TensorFlow can't run on `machine`; undefined if it can. */
export function findObstacle(machine: Machine): string | undefined {
  if (machine.platform !== 'linux' || machine.arch !== 'x64') {
    return `native TensorFlow is provided for linux x64 only, this is ${machine.platform} ${machine.arch}`;
  }
  if (machine.glibc === undefined) {
    return 'native TensorFlow needs glibc, and this system has another C library (musl?)';
  }
  if (isWithoutAvx(machine)) return 'this CPU has no AVX, which native TensorFlow needs';
  return undefined;
}

/** Whether the CPU certainly lacks AVX; with unknown flags it may have it. */
export function isWithoutAvx(machine: Machine): boolean {
  return machine.cpuFlags.length > 0 && !machine.cpuFlags.includes('avx');
}

function readGlibcVersion(): string | undefined {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return undefined;
  const { header } = report;
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) return undefined;
  return typeof header.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : undefined;
}

/** Reads the first CPU only: the whole file takes the kernel milliseconds per CPU. */
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
