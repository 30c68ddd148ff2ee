"""FastAPI: an endpoint that blocks is a plain function, which FastAPI runs in a thread of its pool."""

from fastapi import FastAPI, UploadFile

from classifier import get_classifier

app = FastAPI()


@app.post("/classify")
def classify(image: UploadFile):
    return {"scores": get_classifier().classify(image.file.read())}
