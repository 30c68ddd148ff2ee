// Sends two pictures by Apache HttpClient 4 and 5, OkHttp and Spring's RestTemplate, in the ways that their users do;
// prints one JSON line for each.
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.InputStreamResource;
import org.springframework.core.io.Resource;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import org.springframework.web.client.HttpStatusCodeException;
import org.springframework.web.client.RestTemplate;

class JavaLibraries {
    static final List<String> PLAIN = List.of("one.jpg", "two.jpg");
    static final List<String> ODD = List.of("фото 写真.jpg", "a \"quoted\" name.jpg");
    static final List<String> SPACES = List.of("with some spaces.jpg", "two.jpg");
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    static String url;
    static File folder;

    public static void main(String[] args) throws Exception {
        url = args[0] + "/v1/check";
        folder = new File(args[1]);
        sendByApache4();
        sendByApache5();
        sendByOkHttp();
        sendBySpring();
    }

    interface AddPicture<B> {
        void add(B form, String name) throws Exception;
    }

    static File file(String name) {
        return new File(folder, name);
    }

    static byte[] bytes(String name) throws Exception {
        return Files.readAllBytes(file(name).toPath());
    }

    static void tell(String way, int status, String body) {
        String text = body.replace("\\", "\\\\").replace("\"", "\\\"");
        OUT.println("{\"way\":\"" + way + "\",\"status\":" + status + ",\"body\":\"" + text + "\"}");
    }

    static void sendByApache4() throws Exception {
        apache4("files", null, PLAIN, (form, name) -> form.addBinaryBody("image", file(name)));
        apache4("bytes", null, PLAIN, (form, name) -> form.addBinaryBody("image", bytes(name)));
        apache4("streams", null, PLAIN, (form, name) -> form.addBinaryBody("image", new FileInputStream(file(name))));
        AddPicture<MultipartEntityBuilder> named =
                (form, name) -> form.addBinaryBody("image", bytes(name), ContentType.IMAGE_JPEG, name);
        apache4("named bytes", null, PLAIN, named);
        apache4("name with spaces", null, SPACES, named);
        apache4("odd names", null, ODD, named);
        apache4("odd names, browser compatible", HttpMultipartMode.BROWSER_COMPATIBLE, ODD, (form, name) -> {
            form.setCharset(StandardCharsets.UTF_8);
            named.add(form, name);
        });
        apache4("odd names, RFC 6532", HttpMultipartMode.RFC6532, ODD, named);
        apache4("bytes, browser compatible", HttpMultipartMode.BROWSER_COMPATIBLE, PLAIN,
                (form, name) -> form.addBinaryBody("image", bytes(name)));
        apache4("model", null, PLAIN, (form, name) -> {
            if (name == PLAIN.get(0)) form.addTextBody("model", "no-such-model");
            form.addBinaryBody("image", file(name));
        });
    }

    static void apache4(String way, HttpMultipartMode mode, List<String> names, AddPicture<MultipartEntityBuilder> adding)
            throws Exception {
        MultipartEntityBuilder form = MultipartEntityBuilder.create();
        if (mode != null) form.setMode(mode);
        for (String name : names) adding.add(form, name);
        HttpPost post = new HttpPost(url);
        post.setEntity(form.build());
        try (var client = HttpClients.createDefault(); var answer = client.execute(post)) {
            tell("Apache 4: " + way, answer.getStatusLine().getStatusCode(), EntityUtils.toString(answer.getEntity()));
        }
    }

    static void sendByApache5() throws Exception {
        var jpeg = org.apache.hc.core5.http.ContentType.IMAGE_JPEG;
        apache5("files", null, PLAIN, (form, name) -> form.addBinaryBody("image", file(name)));
        apache5("bytes", null, PLAIN, (form, name) -> form.addBinaryBody("image", bytes(name)));
        apache5("streams", null, PLAIN, (form, name) -> form.addBinaryBody("image", new FileInputStream(file(name))));
        AddPicture<org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder> named =
                (form, name) -> form.addBinaryBody("image", bytes(name), jpeg, name);
        apache5("named bytes", null, PLAIN, named);
        apache5("name with spaces", null, SPACES, named);
        apache5("odd names", null, ODD, named);
        apache5("odd names, extended", org.apache.hc.client5.http.entity.mime.HttpMultipartMode.EXTENDED, ODD, named);
        apache5("odd names, legacy", org.apache.hc.client5.http.entity.mime.HttpMultipartMode.LEGACY, ODD, (form, name) -> {
            form.setCharset(StandardCharsets.UTF_8);
            named.add(form, name);
        });
        apache5("model", null, PLAIN, (form, name) -> {
            if (name == PLAIN.get(0)) form.addTextBody("model", "no-such-model");
            form.addBinaryBody("image", bytes(name));
        });
    }

    static void apache5(String way, org.apache.hc.client5.http.entity.mime.HttpMultipartMode mode, List<String> names,
            AddPicture<org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder> adding) throws Exception {
        var form = org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder.create();
        if (mode != null) form.setMode(mode);
        for (String name : names) adding.add(form, name);
        var post = new org.apache.hc.client5.http.classic.methods.HttpPost(url);
        post.setEntity(form.build());
        try (var client = org.apache.hc.client5.http.impl.classic.HttpClients.createDefault()) {
            client.execute(post, answer -> {
                String body = org.apache.hc.core5.http.io.entity.EntityUtils.toString(answer.getEntity());
                tell("Apache 5: " + way, answer.getCode(), body);
                return null;
            });
        }
    }

    static void sendByOkHttp() throws Exception {
        MediaType jpeg = MediaType.get("image/jpeg");
        AddPicture<MultipartBody.Builder> named =
                (form, name) -> form.addFormDataPart("image", name, RequestBody.create(bytes(name), jpeg));
        okHttp("files", PLAIN, (form, name) -> form.addFormDataPart("image", name, RequestBody.create(file(name), jpeg)));
        okHttp("named bytes", PLAIN, named);
        okHttp("named bytes without a type", PLAIN,
                (form, name) -> form.addFormDataPart("image", name, RequestBody.create(bytes(name))));
        okHttp("name with spaces", SPACES, named);
        okHttp("odd names", ODD, named);
        okHttp("bytes", PLAIN, (form, name) -> form.addFormDataPart("image", null, RequestBody.create(bytes(name))));
        okHttp("bytes with a type", PLAIN,
                (form, name) -> form.addFormDataPart("image", null, RequestBody.create(bytes(name), jpeg)));
        okHttp("model", PLAIN, (form, name) -> {
            if (name == PLAIN.get(0)) form.addFormDataPart("model", "no-such-model");
            named.add(form, name);
        });
        okHttp("model with a type", PLAIN, (form, name) -> {
            // As Retrofit's @Part sends a text.
            RequestBody model = RequestBody.create("no-such-model", MediaType.get("text/plain; charset=utf-8"));
            if (name == PLAIN.get(0)) form.addFormDataPart("model", null, model);
            named.add(form, name);
        });
    }

    static void okHttp(String way, List<String> names, AddPicture<MultipartBody.Builder> adding) throws Exception {
        MultipartBody.Builder form = new MultipartBody.Builder().setType(MultipartBody.FORM);
        for (String name : names) adding.add(form, name);
        Request request = new Request.Builder().url(url).post(form.build()).build();
        OkHttpClient client = new OkHttpClient();
        try (var answer = client.newCall(request).execute()) {
            tell("OkHttp: " + way, answer.code(), answer.body().string());
        }
        client.connectionPool().evictAll();
        client.dispatcher().executorService().shutdown();
    }

    interface ToResource {
        Resource of(String name) throws Exception;
    }

    /** The resource that Spring's users write, because a ByteArrayResource has no name. */
    static Resource named(String name) throws Exception {
        return new ByteArrayResource(bytes(name)) {
            @Override
            public String getFilename() {
                return name;
            }
        };
    }

    static void sendBySpring() throws Exception {
        spring("ByteArrayResource", null, PLAIN, name -> new ByteArrayResource(bytes(name)));
        spring("FileSystemResource", null, PLAIN, name -> new FileSystemResource(file(name)));
        spring("FileSystemResource with odd names", null, ODD, name -> new FileSystemResource(file(name)));
        spring("InputStreamResource", null, PLAIN, name -> new InputStreamResource(new ByteArrayInputStream(bytes(name))));
        spring("named ByteArrayResource", null, PLAIN, JavaLibraries::named);
        spring("name with spaces", null, SPACES, JavaLibraries::named);
        spring("model", "no-such-model", PLAIN, name -> new FileSystemResource(file(name)));
    }

    static void spring(String way, String model, List<String> names, ToResource toResource) throws Exception {
        MultiValueMap<String, Object> form = new LinkedMultiValueMap<>();
        if (model != null) form.add("model", model);
        for (String name : names) form.add("image", toResource.of(name));
        try {
            var answer = new RestTemplate().postForEntity(url, form, String.class);
            tell("Spring: " + way, answer.getStatusCode().value(), answer.getBody());
        } catch (HttpStatusCodeException refused) {
            tell("Spring: " + way, refused.getStatusCode().value(), refused.getResponseBodyAsString());
        }
    }
}
