// The service that a tutorial makes: everything in the main thread, the model operation by operation.
import { readFileSync } from 'node:fs';
import util from 'node:util';
// eslint-disable-next-line no-restricted-imports -- a service of its own, which has nothing of this project's
import * as tf from '@tensorflow/tfjs-node';
import express from 'express';
import multer from 'multer';

// tfjs-node calls two functions that Node 23 removed.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;

const folder = process.env.MODEL;
const { width, height } = JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')).input;
const upload = multer({ storage: multer.memoryStorage() });
const app = express();
let model;

app.post('/classify', upload.single('image'), async (request, response) => {
  model ??= tf.loadGraphModel(`file://${folder}/model.json`);
  const network = await model;
  const scores = tf.tidy(() => {
    const picture = tf.node.decodeImage(request.file.buffer, 3);
    const resized = tf.image.resizeBilinear(picture, [height, width], false, true);
    // The graph has the normalisation inside.
    return network.predict(resized.expandDims(0));
  });
  response.json({ scores: Array.from(await scores.data()) });
  scores.dispose();
});

app.listen(Number(process.env.PORT), '127.0.0.1');
