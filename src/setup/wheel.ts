/** One file of a Python package index, pinned. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Size of the extracted files. */
  readonly unpackedBytes: number;
  readonly pythonVersion: string;
  readonly abi: string;
  /** Platform tag for pip; every pip since 19.3 knows manylinux2014 (manylinux_2_17). */
  readonly platformTag: string;
}

/** The wheel with the TensorFlow libraries, which are independent of the machine's Python. */
export const tensorflowWheel: Wheel = {
  project: 'tensorflow-cpu',
  version: '2.15.1',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  bytes: 207_208_420,
  unpackedBytes: 614_000_000,
  pythonVersion: '3.11',
  abi: 'cp311',
  platformTag: 'manylinux2014_x86_64',
};

/** The libraries inside the wheel's `tensorflow/` folder that the binding is linked with. */
export const libraryFiles = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Members to extract: the libraries, and the headers that the addons include directly or indirectly. */
export const wantedMembers: readonly string[] = [
  ...libraryFiles.map((file) => `tensorflow/${file}`),
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/lib/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/c/',
  'tensorflow/include/tsl/platform/',
  'tensorflow/include/Eigen/',
  'tensorflow/include/ml_dtypes/',
  'tensorflow/include/absl/',
  'tensorflow/include/external/libjpeg_turbo/',
];
