import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { countCpus } from '../../src/config/cpu-count.ts';

function toReader(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  };
}

test('a_cgroup_v2_quota_of_one_cpu_counts_one', () => {
  assert.equal(countCpus(toReader({ '/sys/fs/cgroup/cpu.max': '100000 100000\n' })), 1);
});

test('a_cgroup_v1_quota_of_half_a_cpu_counts_one', () => {
  const files = { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000' };
  assert.equal(countCpus(toReader(files)), 1);
});

test('without_a_quota_all_cpus_count', () => {
  assert.equal(countCpus(toReader({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' })), availableParallelism());
  assert.equal(countCpus(toReader({ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1' })), availableParallelism());
  assert.equal(countCpus(toReader({})), availableParallelism());
});

test('a_quota_above_the_machine_counts_the_machine', () => {
  assert.equal(countCpus(toReader({ '/sys/fs/cgroup/cpu.max': '99900000 100000\n' })), availableParallelism());
});
