import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { listTree, readTreeCpuMs, readTreeMemory, toProcessStat } from '../../bench/process-tree.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

interface Made {
  readonly pid: number;
  readonly parent: number;
  readonly group?: number;
  readonly session?: number;
  readonly state?: string;
  readonly name?: string;
  readonly ticks?: readonly [user: number, system: number, childUser: number, childSystem: number];
  readonly smaps?: string;
}

function makeProc(context: TestContext, processes: readonly Made[]): string {
  const dir = makeTempDir(context);
  for (const { pid, parent, group, session, state, name, ticks, smaps } of processes) {
    mkdirSync(path.join(dir, String(pid)));
    const numbers = [parent, group ?? pid, session ?? pid, 0, -1, 0, 0, 0, 0, 0, ...(ticks ?? [0, 0, 0, 0]), 20, 0];
    writeFileSync(
      path.join(dir, String(pid), 'stat'),
      `${String(pid)} (${name ?? 'node'}) ${state ?? 'S'} ${numbers.join(' ')}\n`,
    );
    if (smaps !== undefined) writeFileSync(path.join(dir, String(pid), 'smaps_rollup'), smaps);
  }
  mkdirSync(path.join(dir, 'self'));
  return dir;
}

test('a_tree_has_children_grandchildren_and_who_moved_into_its_session', (context) => {
  const dir = makeProc(context, [
    { pid: 30, parent: 20 },
    { pid: 20, parent: 10, name: 'a) b (c' },
    { pid: 10, parent: 1 },
    { pid: 40, parent: 1, session: 10 },
    { pid: 50, parent: 1 },
  ]);
  const pids = listTree(10, dir).map(({ pid }) => pid);
  assert.deepEqual(
    pids.toSorted((a, b) => a - b),
    [10, 20, 30, 40],
  );
});

test('cpu_of_children_that_have_ended_counts_and_of_zombies', (context) => {
  const dir = makeProc(context, [
    { pid: 10, parent: 1, ticks: [100, 20, 300, 4] },
    { pid: 11, parent: 10, ticks: [1, 2, 0, 0], state: 'Z' },
    { pid: 12, parent: 1, ticks: [5000, 0, 0, 0] },
  ]);
  assert.equal(readTreeCpuMs(10, dir), 4270);
});

test('memory_is_read_of_the_living_and_none_of_one_that_ends_meanwhile', (context) => {
  const smaps = 'Rss: 900 kB\nPss:     500 kB\nPss_Anon: 7 kB\nPrivate_Clean:  100 kB\nPrivate_Dirty:  200 kB\n';
  const dir = makeProc(context, [
    { pid: 10, parent: 1, smaps },
    { pid: 11, parent: 10 },
    { pid: 12, parent: 10, state: 'Z', smaps },
  ]);
  assert.deepEqual(
    readTreeMemory(10, dir).toSorted((a, b) => a.pid - b.pid),
    [
      { pid: 10, pssBytes: 512_000, privateBytes: 307_200 },
      { pid: 11, pssBytes: 0, privateBytes: 0 },
    ],
  );
});

test('this_very_process_is_found_with_its_cpu_time_and_memory', () => {
  assert.ok(readTreeCpuMs(process.pid) > 0);
  const [own] = readTreeMemory(process.pid).filter(({ pid }) => pid === process.pid);
  assert.ok(own !== undefined && own.privateBytes > 1e6 && own.pssBytes >= own.privateBytes / 2);
});

test('a_process_that_is_gone_has_no_tree', () => {
  assert.deepEqual(listTree(2 ** 30), []);
  for (const text of ['', 'nonsense', '12 (half']) assert.equal(toProcessStat(text), undefined);
});
