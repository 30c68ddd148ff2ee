import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Counts the CPUs of this process: the machine's, limited by the cgroup's quota, at least 1. */
export function countCpus(readFile: (path: string) => string = (path) => readFileSync(path, 'utf8')): number {
  const quotas = [toQuotaV2, toQuotaV1].map((toQuota) => {
    try {
      return toQuota(readFile);
    } catch {
      // This cgroup version is not in use.
      return undefined;
    }
  });
  const cpus = Math.min(availableParallelism(), ...quotas.filter((quota) => quota !== undefined));
  return Math.max(1, Math.ceil(cpus));
}

/** `/sys/fs/cgroup/cpu.max`: "200000 100000" means two CPUs, "max 100000" no limit. */
function toQuotaV2(readFile: (path: string) => string): number | undefined {
  const [quota, period] = readFile('/sys/fs/cgroup/cpu.max').trim().split(' ').map(Number);
  return toRatio(quota, period);
}

function toQuotaV1(readFile: (path: string) => string): number | undefined {
  const quota = Number(readFile('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'));
  return toRatio(quota, Number(readFile('/sys/fs/cgroup/cpu/cpu.cfs_period_us')));
}

function toRatio(quota: number | undefined, period: number | undefined): number | undefined {
  const ratio = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : undefined;
}
