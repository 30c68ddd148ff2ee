import path from 'node:path';

/** A foreign format, with the command that converts it to a supported one. */
interface Foreign {
  readonly name: RegExp;
  readonly what: string;
  readonly toCommand: (file: string, target: string) => string;
}

/** Keras 2's own `export` keeps augmentation active, which makes results random. */
const exportKeras =
  'python3 -c "import sys, tensorflow as tf; m = tf.keras.models.load_model(sys.argv[1], compile=False); ' +
  "a = tf.keras.export.ExportArchive(); a.track(m); a.add_endpoint('serve', lambda x: m(x, training=False), " +
  '[tf.TensorSpec(m.inputs[0].shape, m.inputs[0].dtype)]); a.write_out(sys.argv[2])"';
const exportWeights = (weights: string, target: string): string =>
  `in the Python program that builds the network: model.load_weights('${weights}'); model.export('${target}')`;

/** The first match counts. */
const foreign: readonly Foreign[] = [
  {
    name: /\.weights\.(h5|hdf5)$/i,
    what: 'weights without their network (Keras)',
    toCommand: (file, target) => exportWeights(file, target),
  },
  {
    name: /\.(h5|hdf5|keras)$/i,
    what: 'a Keras file',
    toCommand: (file, target) => `${exportKeras} ${toArgument(file)} ${toArgument(target)}`,
  },
  {
    name: /\.tflite$/i,
    what: 'a TensorFlow Lite model',
    toCommand: (file, target) =>
      `python3 -m tf2onnx.convert --tflite ${toArgument(file)} --output ${toArgument(`${target}.onnx`)} && ` +
      `onnx2tf -i ${toArgument(`${target}.onnx`)} -o ${toArgument(target)}`,
  },
  {
    name: /\.onnx$/i,
    what: 'an ONNX model',
    toCommand: (file, target) => `onnx2tf -i ${toArgument(file)} -o ${toArgument(target)}`,
  },
  {
    name: /\.(pt|pth)$/i,
    what: 'a PyTorch file',
    toCommand: (_, target) =>
      `in Python: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), '${target}.onnx'); ` +
      `then: onnx2tf -i ${toArgument(`${target}.onnx`)} -o ${toArgument(target)}`,
  },
  {
    name: /\.safetensors$/i,
    what: 'weights without their network (safetensors)',
    toCommand: (file, target) =>
      `optimum-cli export onnx --model ${toArgument(path.dirname(file))} ${toArgument(`${target}-onnx`)} && ` +
      `onnx2tf -i ${toArgument(`${target}-onnx/model.onnx`)} -o ${toArgument(target)}`,
  },
  {
    name: /^checkpoint$|\.ckpt(\.|$)|\.(index|meta)$|\.data-\d{5}-of-\d{5}$/i,
    what: 'a checkpoint: weights without their network',
    toCommand: (file, target) => exportWeights(toCheckpoint(file), target),
  },
  {
    name: /\.pb$/i,
    what: 'a frozen graph',
    toCommand: (file, target) =>
      `tensorflowjs_converter --input_format=tf_frozen_model --output_node_names=NAME_OF_THE_SCORES ` +
      `${toArgument(file)} ${toArgument(target)}`,
  },
  {
    name: /\.(zip|tar|tgz|tar\.gz)$/i,
    what: 'an archive',
    toCommand: (file, target) => {
      const unpack = /zip$/i.test(file) ? `unzip ${toArgument(file)} -d` : `tar -xf ${toArgument(file)} -C`;
      return `mkdir ${toArgument(target)} && ${unpack} ${toArgument(target)}`;
    },
  },
];

/** One line with the format of a file and the command to convert it; undefined for unknown formats. */
export function toConversionHint(file: string): string | undefined {
  const name = path.basename(file);
  const kind = foreign.find((each) => each.name.test(name));
  if (!kind) return undefined;
  const target = `${name.replace(/\.(weights\.)?[^.]*$/, '') || 'model'}-saved`;
  return `${file}: is ${kind.what}; run: ${kind.toCommand(file, target)}; then add ${target}`;
}

/** A checkpoint is named by the common prefix of its files. */
function toCheckpoint(file: string): string {
  if (path.basename(file) === 'checkpoint') return path.join(path.dirname(file), 'NAME_OF_THE_CHECKPOINT');
  return file.replace(/\.(index|meta|data-\d{5}-of-\d{5})$/, '');
}

function toArgument(text: string): string {
  return /^[\w./@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
