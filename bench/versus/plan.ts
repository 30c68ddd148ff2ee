import type { BenchModel } from '../peers/contender.ts';
import { type SizeName, sizeNames } from './pictures.ts';

/** One cell of the closed loop. */
export interface Cell {
  readonly model: BenchModel;
  readonly size: SizeName;
  readonly connections: number;
  /** In the first all of the field take part, in later ones those whom `playRounds` keeps. */
  readonly rounds: number;
  /** All, or this project, the naive Node service and the best Python peers of the cells before. */
  readonly field: 'all' | 'best';
  readonly seconds: number;
}

/** How long and how often is measured. */
export interface Plan {
  readonly name: 'full' | 'quick';
  readonly pictures: number;
  readonly coldStarts: number;
  /** Of those, how many are followed by a load for the memory. */
  readonly memoryRounds: number;
  readonly memorySeconds: number;
  /** Python peers that are started alone. */
  readonly startedPeers: number;
  /** Python peers that take part in whatever only the best do. */
  readonly bestPeers: number;
  readonly cells: readonly Cell[];
  /** Pictures that the limit, and ONNX Runtime, judge at a time. */
  readonly limitImages: number;
  readonly openSeconds: number;
  readonly overloadSeconds: number;
  readonly largeSeconds: number;
  readonly formRounds: number;
  readonly formSeconds: number;
  readonly probeSeconds: number;
  readonly scalingRounds: number;
  readonly scalingSeconds: number;
  /** What each scenario takes on a quiet machine, by its name; the report holds it against what it took. */
  readonly budgetSeconds: Readonly<Record<string, number>>;
}

/** Answers take longer the more connections wait and the larger pictures are; a slice has to see many of them. */
function toSeconds(size: SizeName, connections: number): number {
  if (connections >= 128) return size === '12 MP' ? 8 : 4;
  return connections >= 32 && size === '12 MP' ? 3 : 2;
}

function toCell(size: SizeName, connections: number, given: Pick<Cell, 'rounds'> & Partial<Cell>): Cell {
  return { model: 'mobilenet-224', size, connections, field: 'best', seconds: toSeconds(size, connections), ...given };
}

/** Under 20 minutes. */
export const fullPlan: Plan = {
  name: 'full',
  pictures: 6,
  coldStarts: 5,
  memoryRounds: 2,
  memorySeconds: 3,
  startedPeers: 5,
  bestPeers: 2,
  cells: [
    ...sizeNames.map((size) => toCell(size, 8, { rounds: 5, field: 'all' })),
    ...sizeNames.map((size) => toCell(size, 32, { rounds: 5 })),
    ...sizeNames.map((size) => toCell(size, 1, { rounds: 2 })),
    toCell('640×480', 128, { rounds: 2 }),
    toCell('1280×960', 128, { rounds: 1 }),
    toCell('12 MP', 128, { rounds: 1 }),
    ...sizeNames.map((size) => toCell(size, 8, { model: 'quality', rounds: 2 })),
    ...sizeNames.map((size) => toCell(size, 8, { model: 'mobilenet-96', rounds: 1 })),
  ],
  limitImages: 20,
  openSeconds: 8,
  overloadSeconds: 6,
  largeSeconds: 2,
  formRounds: 3,
  formSeconds: 2,
  probeSeconds: 4,
  scalingRounds: 2,
  scalingSeconds: 2,
  budgetSeconds: {
    pictures: 10,
    'start and memory, each alone': 160,
    'start of all': 35,
    scores: 10,
    'closed loop': 615,
    'open loop': 68,
    'three times the capacity': 54,
    'large files': 24,
    'eight images in a request': 15,
    'event loop': 19,
    'one worker and two': 30,
    quality: 76,
    'mobilenet-96': 46,
    'ONNX Runtime': 15,
  },
};

/** Every scenario, too short for its figures to be worth anything. */
export const quickPlan: Plan = {
  name: 'quick',
  pictures: 2,
  coldStarts: 1,
  memoryRounds: 1,
  memorySeconds: 1,
  startedPeers: 1,
  bestPeers: 1,
  cells: [
    toCell('640×480', 8, { rounds: 1, seconds: 1, field: 'all' }),
    toCell('1280×960', 8, { rounds: 1, seconds: 1 }),
    toCell('12 MP', 8, { rounds: 1, seconds: 2 }),
    toCell('640×480', 32, { rounds: 2, seconds: 1 }),
    toCell('640×480', 1, { rounds: 1, seconds: 1 }),
    toCell('640×480', 128, { rounds: 1, seconds: 2 }),
    toCell('640×480', 8, { model: 'quality', rounds: 1, seconds: 1 }),
    toCell('640×480', 8, { model: 'mobilenet-96', rounds: 1, seconds: 1 }),
  ],
  limitImages: 4,
  openSeconds: 2,
  overloadSeconds: 2,
  largeSeconds: 1,
  formRounds: 1,
  formSeconds: 1,
  probeSeconds: 1,
  scalingRounds: 1,
  scalingSeconds: 1,
  budgetSeconds: {
    pictures: 4,
    'start and memory, each alone': 15,
    'start of all': 30,
    scores: 3,
    'closed loop': 45,
    'open loop': 14,
    'three times the capacity': 10,
    'large files': 10,
    'eight images in a request': 3,
    'event loop': 8,
    'one worker and two': 5,
    quality: 14,
    'mobilenet-96': 14,
    'ONNX Runtime': 5,
  },
};
