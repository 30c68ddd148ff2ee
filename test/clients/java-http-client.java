// Sends two pictures by java.net.http.HttpClient, with the multipart body that people write for it by hand; prints one
// JSON line for each way.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

class JavaHttpClient {
    static final String BOUNDARY = "----JavaBoundary" + System.nanoTime();
    static final List<String> PLAIN = List.of("one.jpg", "two.jpg");
    static final List<String> SPACES = List.of("with some spaces.jpg", "two.jpg");
    static final String UTF_8_NAME = "фото 写真.jpg";
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        URI uri = URI.create(args[0] + "/v1/check");
        Path folder = Path.of(args[1]);
        String jpeg = "Content-Type: image/jpeg\r\n";
        send(uri, "named", toBody(folder, PLAIN, true, jpeg, null));
        send(uri, "UTF-8 name", toBody(folder, List.of(UTF_8_NAME, "two.jpg"), true, jpeg, null));
        send(uri, "name with spaces", toBody(folder, SPACES, true, jpeg, null));
        send(uri, "named, without a type", toBody(folder, PLAIN, true, "", null));
        send(uri, "unnamed", toBody(folder, PLAIN, false, jpeg, null));
        send(uri, "unnamed, without a type", toBody(folder, PLAIN, false, "", null));
        send(uri, "unnamed binary", toBody(folder, PLAIN, false, "Content-Type: application/octet-stream\r\n", null));
        String lengths = "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n";
        send(uri, "with a transfer encoding", toBody(folder, PLAIN, true, lengths, null));
        byte[] streamed = toBytes(toBody(folder, PLAIN, true, jpeg, null));
        tell(uri, "streamed", BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(streamed)));
        send(uri, "model", toBody(folder, PLAIN, true, jpeg, ""));
        send(uri, "model with a charset", toBody(folder, PLAIN, true, jpeg, "Content-Type: text/plain; charset=UTF-8\r\n"));
    }

    /** The parts in order; `modelHeaders` null means no field `model`. */
    static List<byte[]> toBody(Path folder, List<String> names, boolean isNamed, String headers, String modelHeaders)
            throws Exception {
        List<byte[]> parts = new ArrayList<>();
        if (modelHeaders != null) {
            add(parts, "Content-Disposition: form-data; name=\"model\"\r\n" + modelHeaders, "no-such-model".getBytes());
        }
        for (String name : names) {
            String filename = isNamed ? "; filename=\"" + name + "\"" : "";
            String header = "Content-Disposition: form-data; name=\"image\"" + filename + "\r\n" + headers;
            add(parts, header, Files.readAllBytes(folder.resolve(name)));
        }
        parts.add(("--" + BOUNDARY + "--\r\n").getBytes());
        return parts;
    }

    static void add(List<byte[]> parts, String header, byte[] content) {
        parts.add(("--" + BOUNDARY + "\r\n" + header + "\r\n").getBytes(StandardCharsets.UTF_8));
        parts.add(content);
        parts.add("\r\n".getBytes());
    }

    static byte[] toBytes(List<byte[]> parts) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) bytes.write(part);
        return bytes.toByteArray();
    }

    static void send(URI uri, String way, List<byte[]> parts) throws Exception {
        tell(uri, way, BodyPublishers.ofByteArrays(parts));
    }

    static void tell(URI uri, String way, BodyPublisher body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(body)
                .build();
        var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        String text = answer.body().replace("\\", "\\\\").replace("\"", "\\\"");
        OUT.println("{\"way\":\"" + way + "\",\"status\":" + answer.statusCode() + ",\"body\":\"" + text + "\"}");
    }
}
