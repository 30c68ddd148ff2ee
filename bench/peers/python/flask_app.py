"""Flask: the model is loaded by the first request that a worker gets."""

from flask import Flask, jsonify, request

from classifier import get_classifier

app = Flask(__name__)


@app.post("/classify")
def classify():
    return jsonify(scores=get_classifier().classify(request.files["image"].read()))
