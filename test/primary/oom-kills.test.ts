import assert from 'node:assert/strict';
import test from 'node:test';
import { OomKills } from '../../src/primary/supervise/oom-kills.ts';

/** The files of a cgroup whose count is `kills()`. */
function toReader(files: Readonly<Record<string, string>>, kills: () => number): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return text.replace('KILLS', String(kills()));
  };
}

const layouts = {
  'cgroup v2': {
    '/proc/self/cgroup': '0::/system.slice/image-check.service\n',
    '/sys/fs/cgroup/system.slice/image-check.service/memory.events': 'low 0\noom 9\noom_kill KILLS\n',
  },
  'cgroup v2 in a container': {
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.events': 'oom 9\noom_kill KILLS\n',
  },
  'cgroup v1': {
    '/proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n',
    '/sys/fs/cgroup/memory/docker/abc/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill KILLS\n',
  },
  'cgroup v1 in a container that has the path of the host': {
    '/proc/self/cgroup': '4:memory:/docker/abc\n',
    '/sys/fs/cgroup/memory/memory.oom_control': 'under_oom 0\noom_kill KILLS\n',
  },
};

for (const [name, files] of Object.entries(layouts)) {
  test(`a kill is claimed once: ${name}`, () => {
    let kills = 5;
    const oomKills = new OomKills(toReader(files, () => kills));
    assert.equal(oomKills.claim(), false, 'kills from before are not its own');
    kills += 2;
    assert.deepEqual([oomKills.claim(), oomKills.claim(), oomKills.claim()], [true, true, false]);
  });
}

test('where_the_kernel_does_not_count_nothing_is_claimed', () => {
  assert.equal(new OomKills(toReader({}, () => 1)).claim(), false);
  const old = { '/proc/self/cgroup': '4:memory:/\n', '/sys/fs/cgroup/memory/memory.oom_control': 'under_oom 0\n' };
  assert.equal(new OomKills(toReader(old, () => 1)).claim(), false);
});
