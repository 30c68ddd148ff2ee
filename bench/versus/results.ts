import type { Circumstances } from './circumstances.ts';
import type { Placed } from './rounds.ts';
import type { EventLoopFigure } from './scenarios/event-loop.ts';
import type { FormFigure } from './scenarios/forms.ts';
import type { LargeFigure } from './scenarios/large-uploads.ts';
import type { OnnxFigure } from './scenarios/onnx.ts';
import type { OpenFigure } from './scenarios/open-loop.ts';
import type { ScalingFigure } from './scenarios/scaling.ts';
import type { ScoreFigure } from './scenarios/scores.ts';
import type { VisitFigure } from './scenarios/starts.ts';
import type { CellFigure } from './scenarios/throughput.ts';

/** Everything that a run measured; RESULTS.json holds it as it is. */
export interface Results {
  readonly circumstances: Circumstances;
  /** In the order of the tables. */
  readonly contenders: readonly { readonly name: string; readonly kind: 'own' | 'python' | 'node' }[];
  readonly scores: readonly ScoreFigure[];
  readonly starts: readonly Placed<VisitFigure>[];
  readonly throughput: readonly Placed<CellFigure>[];
  /** At half and at nine tenths of each contender's capacity. */
  readonly openLoop: readonly OpenFigure[];
  readonly overload: readonly OpenFigure[];
  readonly largeUploads: readonly Placed<LargeFigure>[];
  readonly forms: readonly FormFigure[];
  readonly eventLoop: EventLoopFigure;
  readonly scaling: readonly Placed<ScalingFigure>[];
  readonly onnx: readonly OnnxFigure[];
  /** Who was left out of what, and why. */
  readonly failures: readonly string[];
  /** Seconds that each scenario took, and was meant to take. */
  readonly took: Readonly<Record<string, number>>;
  readonly budget: Readonly<Record<string, number>>;
}
