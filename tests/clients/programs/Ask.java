import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Java's HttpClient with its defaults: it offers HTTP/2 by "Upgrade: h2c". */
class Ask {
    public static void main(String[] arguments) throws Exception {
        String server = arguments[0];
        List<String> rows = Files.readAllLines(Path.of(arguments[1]));
        HttpClient client = HttpClient.newHttpClient();
        for (String row : rows) {
            show("text", client.send(post(server, BodyPublishers.ofString(row)).build(), BodyHandlers.ofString()));
        }
        for (String row : rows) {
            byte[] bytes = row.getBytes(StandardCharsets.UTF_8);
            BodyPublisher chunked = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes));
            show("chunked", client.send(post(server, chunked).build(), BodyHandlers.ofString()));
        }
        for (String row : rows) {
            HttpRequest.Builder waits = post(server, BodyPublishers.ofString(row)).expectContinue(true);
            show("continue", client.send(waits.build(), BodyHandlers.ofString()));
        }
        List<CompletableFuture<HttpResponse<String>>> together = new ArrayList<>();
        for (String row : rows) {
            HttpRequest request = post(server, BodyPublishers.ofString(row)).build();
            together.add(client.sendAsync(request, BodyHandlers.ofString()));
        }
        for (CompletableFuture<HttpResponse<String>> answer : together) {
            show("together", answer.get());
        }
        HttpRequest ping = HttpRequest.newBuilder(URI.create(server + "/ping")).build();
        show("ping", client.send(ping, BodyHandlers.ofString()));
    }

    private static HttpRequest.Builder post(String server, BodyPublisher body) {
        return HttpRequest.newBuilder(URI.create(server + "/invocations"))
                .header("Content-Type", "text/csv").POST(body);
    }

    private static void show(String way, HttpResponse<String> answer) {
        System.out.println(way + " " + answer.statusCode() + " " + answer.body().strip());
    }
}
