"""mosec: raw bytes in, JSON out; WORKERS processes."""

import os

from mosec import Server, Worker

from classifier import Classifier


class Classification(Worker):
    def __init__(self):
        self.classifier = Classifier()

    def deserialize(self, data):
        return data

    def forward(self, data):
        return {"scores": self.classifier.classify(data)}


if __name__ == "__main__":
    server = Server()
    server.append_worker(Classification, num=int(os.environ["WORKERS"]))
    server.run()
