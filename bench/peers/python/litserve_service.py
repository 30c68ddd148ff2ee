"""LitServe: WORKERS processes for the model, and as many for HTTP, which is its default."""

import os

import litserve
from fastapi import Request

from classifier import Classifier


class Classification(litserve.LitAPI):
    def setup(self, device):
        self.classifier = Classifier()

    def decode_request(self, request: Request):
        return request["image"].file.read()

    def predict(self, data):
        return self.classifier.classify(data)

    def encode_response(self, scores):
        return {"scores": scores}


if __name__ == "__main__":
    api = Classification(api_path="/classify")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=int(os.environ["WORKERS"]))
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False)
