<?php
// Sends two pictures by PHP's curl extension and others, in the ways that their users do; prints one JSON line for each.
declare(strict_types=1);

[, $service, $folder] = $argv;
$url = "$service/v1/check";
$plain = ['one.jpg', 'two.jpg'];
$odd = ['фото 写真.jpg', 'a "quoted" name.jpg'];
$spaces = ['with some spaces.jpg', 'two.jpg'];
$read = fn(string $name): string => file_get_contents("$folder/$name");

function tell(string $way, int $status, string $body): void
{
    echo json_encode(['way' => $way, 'status' => $status, 'body' => $body], JSON_THROW_ON_ERROR), "\n";
}

/** Posts by the curl extension: an array becomes a form, a string is sent as it is. */
function post(string $way, string $url, array|string $fields, array $headers = []): void
{
    $handle = curl_init($url);
    $options = [CURLOPT_POST => true, CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers];
    curl_setopt_array($handle, $options + [CURLOPT_POSTFIELDS => $fields]);
    $body = curl_exec($handle);
    $body === false && throw new RuntimeException(curl_error($handle));
    tell($way, curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $body);
}

/** The body that people write by hand, because an array of PHP's has each key only once. */
function toBody(array $pictures, string $boundary, string $type): string
{
    $body = '';
    foreach ($pictures as [$name, $content]) {
        $filename = $name === null ? '' : "; filename=\"$name\"";
        $body .= "--$boundary\r\nContent-Disposition: form-data; name=\"image\"$filename\r\n$type\r\n$content\r\n";
    }
    return "$body--$boundary--\r\n";
}

// An array of PHP's has each key once: one picture beside the model.
post('curl: CURLFile, model', $url, ['image' => new CURLFile("$folder/one.jpg"), 'model' => 'no-such-model']);
post('curl: CURLFile', $url, ['image' => new CURLFile("$folder/two.jpg")]);
post('curl: CURLFile with a UTF-8 name', $url, ['image' => new CURLFile("$folder/two.jpg", 'image/jpeg', $odd[0])]);
post('curl: CURLFile with a quoted name', $url, ['image' => new CURLFile("$folder/$odd[1]")]);
post('curl: CURLStringFile', $url, ['image' => new CURLStringFile($read('two.jpg'), 'two.jpg')]);
post('curl: CURLStringFile with a UTF-8 name', $url, ['image' => new CURLStringFile($read('two.jpg'), $odd[0])]);
post('curl: CURLStringFile with an empty name', $url, ['image' => new CURLStringFile($read('two.jpg'), '')]);
post('curl: string', $url, ['image' => $read('two.jpg')]);
post('curl: list of strings', $url, ['image' => array_map($read, $plain)]);
// What PHP's own servers ask for.
$files = array_map(fn(string $name) => new CURLFile("$folder/$name"), $plain);
post('curl: CURLFiles named image[0] and image[1]', $url, ['image[0]' => $files[0], 'image[1]' => $files[1]]);

$jpeg = "Content-Type: image/jpeg\r\n";
foreach (['named' => $plain, 'odd names' => [$odd[0], 'two.jpg'], 'unnamed' => [null, null], 'empty names' => ['', '']] as $way => $names) {
    $body = toBody(array_map(null, $names, array_map($read, $plain)), 'limit', $jpeg);
    post("curl: body by hand, $way", $url, $body, ['Content-Type: multipart/form-data; boundary=limit']);
    $context = ['method' => 'POST', 'ignore_errors' => true, 'content' => $body];
    $context['header'] = 'Content-Type: multipart/form-data; boundary="limit"';
    $answer = file_get_contents($url, false, stream_context_create(['http' => $context]));
    tell("stream context: $way", (int) explode(' ', $http_response_header[0])[1], $answer);
}

require 'GuzzleHttp/autoload.php';

$guzzle = new GuzzleHttp\Client(['http_errors' => false]);
$open = fn(string $name) => fopen("$folder/$name", 'r');
$toFields = fn(array $contents, ?array $names = null) => array_map(
    fn($content, $name) => ['name' => 'image', 'contents' => $content] + ($name === null ? [] : ['filename' => $name]),
    $contents,
    $names ?? [null, null],
);
$guzzleWays = [
    'opened files' => $toFields(array_map($open, $plain)),
    'opened files with odd names' => $toFields(array_map($open, $odd)),
    'strings' => $toFields(array_map($read, $plain)),
    'named strings' => $toFields(array_map($read, $plain), $plain),
    'odd names' => $toFields(array_map($read, $odd), $odd),
    'name with spaces' => $toFields(array_map($read, $spaces), $spaces),
    'model' => [['name' => 'model', 'contents' => 'no-such-model'], ...$toFields(array_map($open, $plain))],
];
foreach ($guzzleWays as $way => $multipart) {
    $answer = $guzzle->post($url, ['multipart' => $multipart]);
    tell("guzzle: $way", $answer->getStatusCode(), (string) $answer->getBody());
}

require 'Symfony/Component/HttpClient/autoload.php';
require 'Symfony/Component/Mime/autoload.php';

use Symfony\Component\HttpClient\HttpClient;
use Symfony\Component\Mime\Part\DataPart;
use Symfony\Component\Mime\Part\Multipart\FormDataPart;

$toParts = fn(array $parts) => array_map(fn($part) => ['image' => $part], $parts);
$symfonyWays = [
    'files' => $toParts(array_map(fn($name) => DataPart::fromPath("$folder/$name"), $plain)),
    'files with odd names' => $toParts(array_map(fn($name) => DataPart::fromPath("$folder/$name"), $odd)),
    'strings' => $toParts(array_map(fn($name) => new DataPart($read($name)), $plain)),
    'model' => [['model' => 'no-such-model'], ...$toParts([new DataPart($read('one.jpg'))])],
];
foreach ($symfonyWays as $way => $parts) {
    $form = new FormDataPart($parts);
    $options = ['headers' => $form->getPreparedHeaders()->toArray(), 'body' => $form->bodyToIterable()];
    $answer = HttpClient::create()->request('POST', $url, $options);
    tell("symfony: $way", $answer->getStatusCode(), $answer->getContent(false));
}
