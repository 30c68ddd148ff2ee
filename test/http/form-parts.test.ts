import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { assertRefused, image, post, startFormService, toOddPart } from './odd-parts.ts';
import { multipartType, type RunningService, sendRaw, toMultipart, toPart, toRawPost } from './running-service.ts';

let service: RunningService;
before(async () => {
  service = await startFormService();
});
after(() => service.close());
beforeEach(() => service.requests.splice(0));

const good = toPart('name="image"; filename="good.jpg"', 'good');
const octets = 'Content-Type: application/octet-stream';

const judged: [string, string | Buffer, string?][] = [
  ['octets without a file name', `${image}\r\n${octets}`],
  ['an image type without a file name', `${image}\r\nContent-Type: image/png`],
  ['neither type nor file name', image],
  ['an empty file name', `${image}; filename=""\r\n${octets}`],
  ['an empty file name without quotes', `${image}; filename=`],
  ['a file name parameter without a value', `${image}; filename`],
  ['a type that does not parse', `${image}; filename="a.png"\r\nContent-Type: ;;`, 'a.png'],
  ['a quote inside the file name', `${image}; filename="12" ruler.png"`, '12" ruler.png'],
  ['an escaped quote', `${image}; filename="12\\" ruler.png"`, '12" ruler.png'],
  ['a quote that a browser escaped', `${image}; filename="12%22 ruler.png"`, '12" ruler.png'],
  ['a quote and a semicolon inside the file name', `${image}; filename="a";b.png"`, 'a'],
  ['a path that ends in a backslash', `${image}; filename="C:\\pictures\\"`],
  ['a path of Windows', `${image}; filename="C:\\pictures\\cat.png"`, 'cat.png'],
  ['spaces in the file name', `${image}; filename="two  words.png"`, 'two  words.png'],
  ['spaces in a file name without quotes', `${image}; filename=two words.png`, 'two words.png'],
  ['UTF-8', `${image}; filename="фото 写真.png"`, 'фото 写真.png'],
  ['UTF-8 without quotes', `${image}; filename=фото.png`, 'фото.png'],
  ['Latin-1', Buffer.from(`${image}; filename="Füße.png"`, 'latin1'), 'Füße.png'],
  ['GBK', Buffer.concat([Buffer.from(`${image}; filename="`), Buffer.of(0xd5, 0xd5), Buffer.from('"')]), 'ÕÕ'],
  ['an encoded word', `${image}; filename="=?UTF-8?B?Yi5wbmc=?="`, '=?UTF-8?B?Yi5wbmc=?='],
  ['filename* of UTF-8', `${image}; filename*=UTF-8''%E5%86%99.png`, '写.png'],
  ['filename* in quotes', `${image}; filename*="utf-8''%E5%86%99.png"`, '写.png'],
  ['filename* beside filename', `${image}; filename="b.png"; filename*=UTF-8'en'%E5%86%99.png`, '写.png'],
  ['filename* of GBK', `${image}; filename="b.png"; filename*=GBK''%D5%D5.png`, '照.png'],
  ['filename* of an unknown charset', `${image}; filename*=x-none''b.png; filename="c.png"`, 'c.png'],
  ['filename* of an unknown charset alone', `${image}; filename*=x-none''b.png`, "x-none''b.png"],
  ['filename* without a charset', `${image}; filename*=''b.png`, "''b.png"],
  ['filename* without apostrophes', `${image}; filename*=b.png`, 'b.png'],
  ['filename* with a broken escape', `${image}; filename*=UTF-8''50%.png`, '50%.png'],
  ['an empty filename*', `${image}; filename*=`],
  ['a file name in pieces', `${image}; filename*1="b.png"; filename*0="a-"`, 'a-b.png'],
  ['a file name in encoded pieces', `${image}; filename*0*=UTF-8''%E5%86; filename*1*=%99.png`, '写.png'],
  ['two file names', `${image}; filename="b.png"; filename="c.png"`, 'b.png'],
  ['a trailing semicolon', `${image}; filename="b.png";`, 'b.png'],
  ['semicolons and whitespace', `${image} ;; filename = "b.png" ; ; `, 'b.png'],
  ['no whitespace at all', 'content-disposition:form-data;name=image;filename=b.png', 'b.png'],
  ['parameters in capitals', 'CONTENT-DISPOSITION: FORM-DATA; NAME="image"; FILENAME="b.png"', 'b.png'],
  ['parameters the other way round', 'Content-Disposition: form-data; filename="b.png"; name="image"', 'b.png'],
  ['attachment', 'Content-Disposition: attachment; name="image"; filename="b.png"', 'b.png'],
  ['no type of disposition', 'Content-Disposition: ; name="image"; filename="b.png"', 'b.png'],
  ['a header in two lines', 'Content-Disposition: form-data;\r\n\tname="image";\r\n filename="b.png"', 'b.png'],
  ['whitespace before the colon', `Content-Disposition : form-data; name="image"`],
  ['headers that mean nothing here', `Content-Length: 7\r\nX-A: ü\r\n${image}\r\nContent-Transfer-Encoding: binary`],
  ['a direction override in the file name', `${image}; filename="a\u202Egnp.exe"`, 'agnp.exe'],
];
for (const [what, header, name = 'upload'] of judged) {
  test(`an image part with ${what} is judged beside a good one`, async () => {
    const { status, body } = await post(service, good, toOddPart(header), good);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      body.images?.map((shown) => shown.name),
      ['good.jpg', name, 'good.jpg'],
    );
    const received = service.requests[0]?.images.map(({ bytes }) => Buffer.from(bytes).toString());
    assert.deepEqual(received, ['good', 'pixels\0', 'good']);
  });
}

test('a_large_image_without_a_file_name_arrives_whole', async () => {
  const large = Buffer.alloc(3_000_000, 'abc\0');
  const { status } = await post(service, toOddPart(`${image}\r\n${octets}`, large), good);
  assert.equal(status, 200);
  assert.ok(large.equals(service.requests[0]?.images[0]?.bytes ?? Buffer.alloc(0)));
});

test('whitespace_after_a_boundary_is_no_part_of_it', async () => {
  const body = toMultipart(good, toOddPart(image)).toString('latin1').replaceAll('--limit\r\n', '--limit \t\r\n');
  const headers = [`Content-Type: ${multipartType}`, `Content-Length: ${String(body.length)}`, 'Connection: close'];
  const reply = await sendRaw(service.port, toRawPost(headers, body));
  assert.equal(reply.status, 200, reply.text);
  assert.equal(service.requests[0]?.images.length, 2);
});

const empty = Buffer.alloc(0);
test('a_file_input_that_was_left_empty_is_no_image_and_no_file_in_another_field', async () => {
  const unselected = `filename=""\r\n${octets}`;
  const other = `Content-Disposition: form-data; name="avatar"; ${unselected}`;
  const { status } = await post(service, toOddPart(`${image}; ${unselected}`, empty), toOddPart(other, empty), good);
  assert.equal(status, 200);
  assert.equal(service.requests[0]?.images.length, 1);
});

const malformed: [string, string | Buffer, RegExp][] = [
  ['no disposition', 'Content-Type: image/png', /no Content-Disposition.*"Content-Type: image\/png"/],
  ['no name', 'Content-Disposition: form-data; filename="b.png"', /no field name.*filename=\\"b\.png\\"/],
  ['an empty name', 'Content-Disposition: form-data; name=""', /no field name/],
  ['two names', `${image}; name="model"`, /"name" has two values: "image, model"/],
  ['a quote without its end', `${image}; filename="b.png`, /no end.*filename=\\"b\.png/],
  ['two dispositions', `${image}\r\nContent-Disposition: form-data; name="model"`, /repeated/],
  ['two types', `${image}\r\n${octets}\r\nContent-Type: multipart/mixed; boundary=in`, /repeated/],
  ['a line that is no header', `${image}\r\nrubbish`, /no header: "rubbish"/],
  ['a bare line feed', `${image}\nContent-Type: image/png`, /control character/],
  ['a null byte', `${image}; filename="a\0.png"`, /control character/],
  ['base64', `${image}\r\nContent-Transfer-Encoding: base64`, /"base64" is not supported/],
  ['quoted-printable', `${image}; filename="a"\r\ncontent-transfer-encoding: Quoted-Printable`, /not supported/],
  ['a form inside', `${image}\r\nContent-Type: multipart/mixed; boundary=in`, /multipart\/mixed.* is not supported/],
];
for (const [what, header, detail] of malformed) {
  test(`a form that has a part with ${what} is refused whole, and the header is quoted`, async () => {
    await assertRefused(service, [good, toOddPart(header)], 'ERR_UPLOAD_MALFORMED', detail);
    await assertRefused(service, [toOddPart(header), good], 'ERR_UPLOAD_MALFORMED', detail);
  });
}

test('a_form_that_has_a_part_without_any_header_is_refused', async () => {
  await assertRefused(
    service,
    [good, Buffer.from('--limit\r\n\r\nx\r\n')],
    'ERR_UPLOAD_MALFORMED',
    /no Content-Disposition/,
  );
});

test('a_part_that_hides_behind_a_bare_line_feed_or_the_closing_boundary_is_refused', async () => {
  const hidden = Buffer.concat([good.subarray(0, -2), Buffer.from('\n'), toOddPart(image)]);
  await assertRefused(service, [hidden], 'ERR_UPLOAD_MALFORMED', /bare line feed/);
  await assertRefused(service, [toMultipart(good), good], 'ERR_UPLOAD_MALFORMED', /follows the closing boundary/);
});

test('text_in_the_field_image_is_refused_with_the_reason_beside_a_good_image_too', async () => {
  for (const text of ['photo.jpg', 'data:image/png;base64,iVBORw0KGgo=', 'фото.jpg\r\n'.repeat(200)]) {
    await assertRefused(service, [good, toOddPart(image, Buffer.from(text))], 'ERR_UPLOAD_MISSING', /-F image=@file/);
  }
});

const foreign = [
  'name="photo"; filename="b.png"',
  'name="images"; filename="b.png"',
  'name="image[]"; filename="b.png"',
  'name="model"; filename="b.png"',
  'name="photo"\r\nContent-Type: application/octet-stream',
  'name="photo"\r\nContent-Type: image/jpeg',
  'name="image[]"\r\nContent-Type: application/octet-stream',
  'name="files"\r\nContent-Type: multipart/mixed; boundary=in',
  'name="=?UTF-8?B?aW1hZ2U=?="; filename="b.png"',
];
for (const parameters of foreign) {
  test(`a file in another field is refused: ${JSON.stringify(parameters)}`, async () => {
    const part = toOddPart(`Content-Disposition: form-data; ${parameters}`);
    await assertRefused(
      service,
      [good, part],
      'ERR_UPLOAD_FIELD',
      /not "(?:photo|images|image\[\]|model|files|=\?UTF.*)"/,
    );
  });
}
