import assert from 'node:assert/strict';
import test from 'node:test';
import { describeMachine, findObstacle, type Machine } from '../../src/setup/machine.ts';

const able: Machine = { platform: 'linux', arch: 'x64', glibc: '2.36', cpuModel: 'any', cpuFlags: ['sse2', 'avx'] };

test('linux_x64_with_glibc_and_avx_is_able', () => {
  assert.equal(findObstacle(able), undefined);
});

test('musl_another_system_and_another_architecture_are_reasons', () => {
  assert.match(findObstacle({ ...able, glibc: undefined }) ?? '', /glibc/);
  assert.match(findObstacle({ ...able, platform: 'darwin' }) ?? '', /linux x64 only, this is darwin x64/);
  assert.match(findObstacle({ ...able, arch: 'arm64' }) ?? '', /linux x64 only, this is linux arm64/);
});

test('a_cpu_without_avx_is_a_reason_and_one_of_unknown_flags_is_not', () => {
  assert.match(findObstacle({ ...able, cpuFlags: ['sse2'] }) ?? '', /no AVX/);
  assert.equal(findObstacle({ ...able, cpuFlags: [] }), undefined);
});

test('this_machine_is_described_by_what_it_runs', () => {
  const machine = describeMachine();
  assert.equal(machine.platform, process.platform);
  assert.equal(machine.arch, process.arch);
  if (machine.glibc !== undefined) assert.match(machine.glibc, /^\d+\.\d+/);
});
