"""The service as it used to be: Flask, and a queue of TensorFlow sessions.

SAVED_MODEL  folder of the model
LOAD         "import": the one process that imports this; "request": every worker, at its first request
GC_FREEZE    "yes": once loaded, keep the garbage collector away from what the workers share
"""

import gc
import os
import queue
import threading

import numpy as np
import tensorflow as tf
from flask import Flask, jsonify, request
from PIL import Image

INSTANCES = 2
PIXELS = 224


class Instance:
    """One session with the model, warmed by one run."""

    def __init__(self, folder):
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            model = tf.compat.v1.saved_model.load(self.session, ["serve"], folder)
        signature = model.signature_def["serving_default"]
        self.input = next(iter(signature.inputs.values())).name
        self.output = next(iter(signature.outputs.values())).name
        self.run(np.zeros((PIXELS, PIXELS, 3), np.float32))

    def run(self, image):
        return self.session.run(self.output, {self.input: image[np.newaxis]})[0]


class Pool:
    """The queue: a request takes an instance and brings it back."""

    def __init__(self):
        self.instances = queue.Queue()
        self.loading = threading.Lock()
        self.is_loaded = False

    def load(self):
        with self.loading:
            if not self.is_loaded:
                for _ in range(INSTANCES):
                    self.instances.put(Instance(os.environ["SAVED_MODEL"]))
                self.is_loaded = True

    def run(self, image):
        instance = self.instances.get()
        try:
            return instance.run(image)
        finally:
            self.instances.put(instance)


app = Flask(__name__)
pool = Pool()
if os.environ["LOAD"] == "import":
    pool.load()
if os.environ.get("GC_FREEZE") == "yes":
    gc.freeze()
print("app imported", flush=True)


@app.post("/v1/check")
def check():
    picture = Image.open(request.files["image"]).convert("RGB").resize((PIXELS, PIXELS))
    pool.load()
    scores = pool.run(np.asarray(picture, np.float32) / 127.5 - 1)
    return jsonify(scores=scores.tolist(), worker={"pid": os.getpid()})
