"""Sends two pictures by requests, httpx and aiohttp, in the ways that their users do; prints one JSON line for each."""
import asyncio
import io
import json
import os
import sys
import warnings

import aiohttp
import httpx
import requests
from requests_toolbelt import MultipartEncoder
from urllib3.fields import RequestField, format_header_param_rfc2231
from urllib3.filepost import encode_multipart_formdata

url, folder = sys.argv[1] + '/v1/check', sys.argv[2]
plain = ['one.jpg', 'two.jpg']
odd = ['фото 写真.jpg', 'a "quoted" name.jpg']
spaces = ['with some spaces.jpg', 'two.jpg']


def opened(names=plain):
    return [open(os.path.join(folder, name), 'rb') for name in names]


def contents(names=plain):
    return [file.read() for file in opened(names)]


def named(names, parts):
    return [('image', (name, part)) for name, part in zip(names, parts)]


def fields(parts):
    return [('image', part) for part in parts]


def tell(way, status, body):
    print(json.dumps({'way': way, 'status': status, 'body': body}), flush=True)


def form_ways():
    """The ways that requests and httpx have in common."""
    yield 'open files', {'files': fields(opened())}
    yield 'bytes', {'files': fields(contents())}
    yield 'BytesIO', {'files': fields(map(io.BytesIO, contents()))}
    yield 'named bytes', {'files': named(plain, contents())}
    yield 'odd names', {'files': named(odd, contents(odd))}
    yield 'name with spaces', {'files': named(spaces, contents(spaces))}
    yield 'name None', {'files': named([None, None], contents())}
    yield 'name None with a type', {'files': [('image', (None, part, 'image/jpeg')) for part in contents()]}
    yield 'a name and none', {'files': named(['one.jpg', None], contents())}
    yield 'empty name', {'files': named(['', ''], contents())}
    yield 'model', {'files': fields(opened()), 'data': {'model': 'no-such-model'}}
    yield 'model as a file without a name', {'files': [('model', (None, 'no-such-model')), *fields(opened())]}


def by_requests():
    for way, form in form_ways():
        answer = requests.post(url, **form)
        tell(f'requests: {way}', answer.status_code, answer.text)
    for way, names in ('streamed by requests-toolbelt', plain), ('odd names by requests-toolbelt', odd):
        encoder = MultipartEncoder([('image', (name, file, 'image/jpeg')) for name, file in zip(names, opened(names))])
        answer = requests.post(url, data=encoder, headers={'Content-Type': encoder.content_type})
        tell(f'requests: {way}', answer.status_code, answer.text)
    # As urllib3 1 writes each name that is not ASCII.
    warnings.simplefilter('ignore', DeprecationWarning)
    parts = [
        RequestField.from_tuples(field, value, header_formatter=format_header_param_rfc2231)
        for field, value in named(odd, contents(odd))
    ]
    body, content_type = encode_multipart_formdata(parts)
    answer = requests.post(url, data=body, headers={'Content-Type': content_type})
    tell('requests: odd names as urllib3 1', answer.status_code, answer.text)


def by_httpx():
    for way, form in form_ways():
        answer = httpx.post(url, **form)
        tell(f'httpx: {way}', answer.status_code, answer.text)


async def generate(content):
    for at in range(0, len(content), 4096):
        yield content[at : at + 4096]


def aiohttp_ways():
    yield 'open files', fields(opened()), {}
    yield 'bytes', fields(contents()), {}
    yield 'BytesIO', fields(map(io.BytesIO, contents())), {}
    # Without a name it is no multipart form at all.
    yield 'named generators', fields(map(generate, contents())), plain
    yield 'bytes with a type', fields(contents()), {'content_type': 'image/jpeg'}
    yield 'model', [('model', 'no-such-model'), *fields(opened())], {}
    for way, names in ('named bytes', plain), ('odd names', odd), ('name with spaces', spaces):
        yield way, fields(contents(names)), names
    yield 'empty name', fields(contents()), ['', '']


async def by_aiohttp():
    async with aiohttp.ClientSession() as session:
        for way, parts, options in aiohttp_ways():
            form = aiohttp.FormData()
            for index, (field, part) in enumerate(parts):
                form.add_field(field, part, **({'filename': options[index]} if isinstance(options, list) else options))
            async with session.post(url, data=form) as answer:
                tell(f'aiohttp: {way}', answer.status, await answer.text())
        unquoted = aiohttp.FormData(quote_fields=False)
        for name, part in zip(['фото 写真.jpg', 'two.jpg'], contents()):
            unquoted.add_field('image', part, filename=name)
        async with session.post(url, data=unquoted) as answer:
            tell('aiohttp: UTF-8 name, fields not quoted', answer.status, await answer.text())


by_requests()
by_httpx()
asyncio.run(by_aiohttp())
