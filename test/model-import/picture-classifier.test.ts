import assert from 'node:assert/strict';
import test from 'node:test';
import type { TensorFacts } from '../../src/model-import/describe-network.ts';
import { assertPictureClassifier } from '../../src/model-import/picture-classifier.ts';

const picture: TensorFacts = { name: 'x', dtype: 'float32', shape: [-1, 8, 8, 3] };

function toOutput(name: string, ...shape: number[]): TensorFacts {
  return { name, dtype: 'float32', shape };
}

test('classifiers_pass_with_one_output_or_several', () => {
  assertPictureClassifier({ inputs: [picture], outputs: [toOutput('scores', -1, 3)] });
  assertPictureClassifier({ inputs: [picture], outputs: [toOutput('scores', -1, 4), toOutput('map', -1, 7, 7, 4)] });
  assertPictureClassifier({
    inputs: [picture],
    outputs: [toOutput('logits', -1, 5), toOutput('inboxes_label', -1, 2)],
  });
  assertPictureClassifier({
    inputs: [{ ...picture, shape: undefined }],
    outputs: [{ ...picture, name: 'y', shape: undefined }],
  });
});

test('what_takes_no_picture_is_told', () => {
  const outputs = [toOutput('scores', -1, 3)];
  const cases: [Partial<TensorFacts>, RegExp][] = [
    [
      { shape: [-1, 10] },
      /^the model takes no picture: the input x is \[n, 10\]; only \[n, height, width, 3\] is served$/,
    ],
    [{ shape: [-1, 44, 232, 1, 2] }, /takes no picture/],
    [{ dtype: 'string', shape: [-1] }, /^the model takes no picture: the input x is string; only float32, uint8/],
  ];
  for (const [input, message] of cases) {
    assert.throws(
      () => {
        assertPictureClassifier({ inputs: [{ ...picture, ...input }], outputs });
      },
      { message },
    );
  }
});

test('detectors_are_told_by_their_outputs', () => {
  const cases = [
    [toOutput('detection_boxes', -1, 100, 4), toOutput('detection_scores', -1, 100), toOutput('num_detections', -1)],
    [toOutput('num_detections', -1)],
    [toOutput('boxes', -1, 10, 4)],
    [toOutput('Postprocessor/Slice', -1, 1917, 90), toOutput('Postprocessor/ExpandDims_1', -1, 1917, 1, 4)],
    [toOutput('output_bboxes', -1, 10), toOutput('scores', -1, 10)],
  ];
  for (const outputs of cases) {
    assert.throws(() => {
      assertPictureClassifier({ inputs: [picture], outputs });
    }, /^Error: the model detects objects \(outputs .*\); only classifiers are served, \[n, scores\]$/);
  }
});
