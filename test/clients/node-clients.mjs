// Sends two pictures by a library of Node's, in the ways that its users do; prints one JSON line for each.
import { createReadStream, openAsBlob, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { fetch, FormData, Blob, File } = globalThis;
const [library, service, folder] = process.argv.slice(2);
const url = `${service}/v1/check`;
const [plain, odd, spaces] = [
  ['one.jpg', 'two.jpg'],
  ['фото 写真.jpg', 'a "quoted" name.jpg'],
  ['with some spaces.jpg', 'two.jpg'],
];
const toPath = (name) => path.join(folder, name);
const buffers = () => plain.map((name) => readFileSync(toPath(name)));
const blobs = () => buffers().map((bytes) => new Blob([bytes]));
const streams = (names = plain) => names.map((name) => createReadStream(toPath(name)));

/** The packages are installed apart from this project's own. */
const installed = createRequire(path.resolve(process.env.IMAGE_CHECK_TEST_NODE_LIBRARIES ?? '', 'clients.cjs'));
const load = async (name) => (await import(pathToFileURL(installed.resolve(name)).href)).default;

/** Prints how a way went; `send` resolves to the status and the body. */
async function tell(way, send) {
  const { status, body } = await send();
  console.log(JSON.stringify({ way: `${library}: ${way}`, status, body }));
}

/** A form of the pictures, each appended with what else `toRest` gives for it. */
function toForm(form, parts, toRest = () => []) {
  parts.forEach((part, index) => form.append('image', part, ...toRest(index)));
  return form;
}

function withModel(form) {
  form.append('model', 'no-such-model');
  return form;
}

/** Forms of the global class. */
async function listStandardForms() {
  const named = (names) => toForm(new FormData(), blobs(), (index) => [names[index]]);
  const files = (names) => buffers().map((bytes, index) => new File([bytes], names[index], { type: 'image/jpeg' }));
  return {
    'unnamed blobs': toForm(new FormData(), blobs()),
    'blobs of files': toForm(new FormData(), await Promise.all(plain.map((name) => openAsBlob(toPath(name))))),
    'named blobs': named(plain),
    files: toForm(new FormData(), files(plain)),
    'odd names': toForm(new FormData(), files(odd)),
    'name with spaces': named(spaces),
    'empty name': named(['', '']),
    model: withModel(toForm(new FormData(), blobs())),
  };
}

/** Forms of the package form-data, created for each request, because a stream can be read only once. */
async function listPackageForms() {
  const PackageForm = await load('form-data');
  return {
    buffers: toForm(new PackageForm(), buffers()),
    'buffers with a type': toForm(new PackageForm(), buffers(), () => [{ contentType: 'image/jpeg' }]),
    'named buffers': toForm(new PackageForm(), buffers(), (index) => [plain[index]]),
    'odd names': toForm(new PackageForm(), buffers(), (index) => [odd[index]]),
    'name with spaces': toForm(new PackageForm(), buffers(), (index) => [{ filename: spaces[index] }]),
    'paths as names': toForm(new PackageForm(), buffers(), (index) => [{ filepath: `фото/${plain[index]}` }]),
    'a stream and a buffer': toForm(new PackageForm(), [streams()[0], buffers()[1]]),
    'file streams': toForm(new PackageForm(), streams()),
    'file streams with odd names': toForm(new PackageForm(), streams(odd)),
    model: withModel(toForm(new PackageForm(), buffers())),
  };
}

async function sendByFetch() {
  for (const [way, body] of Object.entries(await listStandardForms())) {
    await tell(way, async () => {
      const answer = await fetch(url, { method: 'POST', body });
      return { status: answer.status, body: await answer.text() };
    });
  }
}

async function sendByAxios() {
  const axios = await load('axios');
  const options = { validateStatus: null, responseType: 'text', transformResponse: [] };
  const send = (way, body, more = {}) =>
    tell(way, async () => {
      const { status, data } = await axios.postForm(url, body, { ...options, ...more });
      return { status, body: data };
    });
  for (const [way, form] of Object.entries(await listPackageForms())) await send(`form-data, ${way}`, form);
  for (const [way, form] of Object.entries(await listStandardForms())) await send(`FormData, ${way}`, form);
  await send('object with a list', { image: buffers() }, { formSerializer: { indexes: null } });
  await send('object with a list, by default named image[]', { image: buffers() });
}

async function sendByGot() {
  const got = await load('got');
  const send = (way, body) =>
    tell(way, async () => {
      const answer = await got.post(url, { body, throwHttpErrors: false, retry: { limit: 0 } });
      return { status: answer.statusCode, body: answer.body };
    });
  for (const [way, form] of Object.entries(await listPackageForms())) await send(`form-data, ${way}`, form);
  for (const [way, form] of Object.entries(await listStandardForms())) await send(`FormData, ${way}`, form);
}

async function sendBySuperagent() {
  const superagent = await load('superagent');
  const send = (way, parts, toRest = () => [], fields = []) =>
    tell(way, async () => {
      const request = superagent.post(url).ok(() => true);
      for (const [name, value] of fields) request.field(name, value);
      parts.forEach((part, index) => request.attach('image', part, ...toRest(index)));
      const { status, text, body } = await request;
      return { status, body: text ?? JSON.stringify(body) };
    });
  await send('buffers', buffers());
  await send('buffers with a type', buffers(), () => [{ contentType: 'image/jpeg' }]);
  await send('named buffers', buffers(), (index) => [plain[index]]);
  await send('odd names', buffers(), (index) => [odd[index]]);
  await send('name with spaces', buffers(), (index) => [spaces[index]]);
  await send('paths', plain.map(toPath));
  await send('file streams', streams());
  await send('model', buffers(), undefined, [['model', 'no-such-model']]);
}

const senders = { fetch: sendByFetch, axios: sendByAxios, got: sendByGot, superagent: sendBySuperagent };
await senders[library]();
