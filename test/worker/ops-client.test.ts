import assert from 'node:assert/strict';
import test from 'node:test';
import type { OpsAnswer, ToPrimary } from '../../src/ipc/messages.ts';
import { createOpsClient } from '../../src/worker/ops-client.ts';

const toAnswer = (body: string): OpsAnswer => ({ status: 200, contentType: 'text/plain', body });

test('requests_for_one_path_share_the_open_question_other_paths_and_later_requests_ask_anew', async () => {
  const sent: ToPrimary[] = [];
  const { ask, receive } = createOpsClient((message) => sent.push(message));
  const metrics = [ask('/metrics'), ask('/metrics')];
  const ready = ask('/readyz');
  assert.deepEqual(sent, [
    { type: 'ask', id: 0, path: '/metrics' },
    { type: 'ask', id: 1, path: '/readyz' },
  ]);
  receive(1, toAnswer('ready'));
  receive(0, toAnswer('metrics'));
  assert.deepEqual(await Promise.all(metrics), [toAnswer('metrics'), toAnswer('metrics')]);
  assert.deepEqual(await ready, toAnswer('ready'));
  void ask('/metrics');
  assert.deepEqual(sent[2], { type: 'ask', id: 2, path: '/metrics' });
});

test('an_answer_to_a_question_that_nobody_asked_changes_nothing', () => {
  const { receive } = createOpsClient(() => undefined);
  receive(7, toAnswer('late'));
});
