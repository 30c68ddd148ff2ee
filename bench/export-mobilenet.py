"""Exports a MobileNetV2 as Keras does: python3 export-mobilenet.py FOLDER SIZE WIDTH"""

import sys

import tensorflow as tf

folder, size, width = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
tf.keras.utils.set_random_seed(1)
network = tf.keras.applications.MobileNetV2(input_shape=(size, size, 3), alpha=width, weights=None, classes=5)
network.export(folder)
