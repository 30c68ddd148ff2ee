"""The same network in ONNX Runtime, one thread, in one process: python onnx_limit.py ONNX_FILE MODEL ROUNDS PICTURE…

Prints JSON: CPU and wall milliseconds a picture, decoding by Pillow and inference apart, and the scores of each.
MODEL is the folder of the SavedModel, which says what the network wants to be given.
"""

import json
import os
import sys
import time

import onnxruntime

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))

from classifier import decode, read_input  # noqa: E402


def measure(step, arguments, rounds):
    for argument in arguments:
        step(argument)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        for argument in arguments:
            step(argument)
    count = rounds * len(arguments)
    cost = {"cpuMs": time.process_time() - cpu, "wallMs": time.perf_counter() - wall}
    return {name: seconds * 1000 / count for name, seconds in cost.items()}


def read(file):
    with open(file, "rb") as opened:
        return opened.read()


def main(onnx_file, model, rounds, *files):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    wanted = read_input(model)
    pictures = [read(file) for file in files]
    tensors = [decode(picture, wanted) for picture in pictures]
    result = {
        "version": onnxruntime.__version__,
        "decode": measure(lambda picture: decode(picture, wanted), pictures, int(rounds)),
        "inference": measure(lambda tensor: session.run(None, {name: tensor}), tensors, int(rounds)),
        "scores": [session.run(None, {name: tensor})[0][0].tolist() for tensor in tensors],
    }
    print(json.dumps(result))


main(*sys.argv[1:])
