"""Rebuilds a tfjs layers model in Keras, same weights: python rebuild.py MODEL SAVED_MODEL ONNX_FILE"""

import json
import math
import os
import sys

import numpy as np
import tensorflow as tf
import tf2onnx


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def read_weights(folder, manifest):
    """Arrays by name; what is stored in 8 or 16 bits is brought back to float32."""
    arrays = {}
    for group in manifest:
        data = b"".join(open(os.path.join(folder, path), "rb").read() for path in group["paths"])
        at = 0
        for spec in group["weights"]:
            quantisation = spec.get("quantization")
            stored = np.dtype(quantisation["dtype"] if quantisation else spec["dtype"])
            values = np.frombuffer(data, stored, math.prod(spec["shape"]), at).reshape(spec["shape"])
            at += values.nbytes
            if quantisation and "scale" in quantisation:
                values = values.astype(np.float32) * quantisation["scale"] + quantisation["min"]
            arrays[spec["name"]] = values.astype(np.float32)
        assert at == len(data), f"{len(data)} bytes of weights, {at} wanted"
    return arrays


def rebuild(folder, activation):
    model = read_json(folder, "model.json")
    topology = model["modelTopology"]
    network = tf.keras.models.model_from_json(json.dumps(topology.get("model_config", topology)))
    arrays = read_weights(folder, model["weightsManifest"])
    for variable in network.weights:
        variable.assign(arrays.pop(variable.name.removesuffix(":0")))
    assert not arrays, f"the network has no {', '.join(arrays)}"
    scores = network.outputs[0]
    if activation != "none":
        scores = tf.keras.layers.Activation(activation)(scores)
    return tf.keras.Model(network.inputs[0], scores)


def main(folder, saved_model, onnx_file):
    manifest = read_json(folder, "manifest.json")
    network = rebuild(folder, manifest["output"]["activation"])
    network.export(saved_model)
    with open(os.path.join(saved_model, "input.json"), "w", encoding="utf-8") as file:
        json.dump(manifest["input"], file)
    tf2onnx.convert.from_keras(network, output_path=onnx_file)


main(*sys.argv[1:])
