"""Where tables come from, and that a server's token goes nowhere else."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

import pytest

from sagetree.cloud.store.sources import fetch, table_of
from sagetree.errors import UserError
from tests.cloud.http_server import answering
from tests.cloud.store.conftest import BUCKET

TOKEN = "planted-token-4711"
LONG = "a" * 70
TABLE = b"policy_id,n\n1,2\n"


class Server:
    """A server of tables that wants a token, and what it was asked with."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[tuple[str, str | None]] = []


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            server.asked.append((self.path, given))
            elsewhere = {"/moved": f"{server.url}/open.csv"}.get(self.path)
            elsewhere = unquote(self.path.partition("?to=")[2]) or elsewhere
            known = given == f"Bearer {TOKEN}" or self.path.startswith("/open")
            self.send_response(302 if elsewhere else 200 if known else 401)
            if elsewhere:
                self.send_header("Location", elsewhere)
            length = len(TABLE) + (5 if self.path == "/cut.csv" else 0)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(TABLE)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering(Handler) as port:
        server = Server(port)
        yield server


@pytest.fixture
def secret(clients):
    """Make a secret of a text; return its ARN."""
    made: list[str] = []

    def make(text: str) -> str:
        manager = clients["secretsmanager"]
        made.append(manager.create_secret(Name=f"token-{len(made)}", SecretString=text)["ARN"])
        return made[-1]

    yield make
    for arn in made:
        clients["secretsmanager"].delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.mark.long
@pytest.mark.parametrize("text", [TOKEN, f" {TOKEN}\n", json.dumps({"token": TOKEN, "user": "x"})])
def test_a_server_gets_the_token_of_the_secret_and_gives_the_table(
    clients, secret, server, tmp_path, text
):
    path = fetch(clients, f"{server.url}/customers.csv?day=1", secret(text), tmp_path)
    assert (path.name, path.read_bytes()) == ("customers.csv", TABLE)
    assert server.asked == [("/customers.csv?day=1", f"Bearer {TOKEN}")]


@pytest.mark.long
def test_a_server_that_sends_elsewhere_is_followed_without_the_token(
    clients, secret, server, tmp_path
):
    assert fetch(clients, f"{server.url}/moved", secret(TOKEN), tmp_path).read_bytes() == TABLE
    assert server.asked == [("/moved", f"Bearer {TOKEN}"), ("/open.csv", None)]


@pytest.mark.parametrize("url", ["http://example.org/a.csv", "ftp://127.0.0.1/a.csv"])
def test_a_server_that_sends_where_everybody_could_read_is_not_followed(
    clients, server, tmp_path, url
):
    with pytest.raises(UserError) as raised:
        fetch(clients, f"{server.url}/moved?to={url}", "", tmp_path)
    assert str(raised.value) == (
        f"{url}: anybody on the way could read it. Use an https:// address"
    )
    assert not list(tmp_path.iterdir())


def test_an_address_may_have_what_is_escaped_on_the_way(clients, server, tmp_path):
    assert fetch(clients, f"{server.url}/open ü%20.csv?a=ö b", "", tmp_path).read_bytes() == TABLE
    assert server.asked == [("/open%20%C3%BC%20.csv?a=%C3%B6%20b", None)]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://[bad/a.csv",
         "https://[bad/a.csv: it is not an address: Invalid IPv6 URL. Check the "
         "address"),
        (f"https://{LONG}.x/a.csv", f"https://{LONG}.x/a.csv: the server does not answer: "),
        *(
            (source, f"{source}: it does not name an object. Write it as s3://BUCKET/KEY, such as "
             "s3://my-bucket/tables/customers.csv")
            for source in ("s3://", "s3://bucket", "s3://bucket/", "s3:///key")
        ),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_an_error(clients, tmp_path, source, message):
    with pytest.raises(UserError) as raised:
        fetch(clients, source, "", tmp_path)
    assert str(raised.value).startswith(message)


@pytest.mark.long
def test_an_object_and_a_file_here_are_taken(clients, tmp_path):
    clients["s3"].put_object(Bucket=BUCKET, Key="tables/c/part 1.csv", Body=TABLE)
    path = fetch(clients, f"s3://{BUCKET}/tables/c/part 1.csv", "", tmp_path)
    assert (path.name, path.read_bytes()) == ("part_1.csv", TABLE)
    assert fetch(clients, str(path), "", tmp_path) == path


SECRET_HINT = 'Store the token itself, or {"token": "..."}'


@pytest.mark.long
@pytest.mark.parametrize(
    "text", ["", "two\nlines", json.dumps({"token": 7}), json.dumps({"t": TOKEN}), "{broken", "ü"]
)
def test_a_secret_without_a_token_is_an_error_that_does_not_say_it(
    clients, secret, server, tmp_path, text
):
    arn = secret(text or " ")
    with pytest.raises(UserError) as raised:
        fetch(clients, f"{server.url}/a.csv", arn, tmp_path)
    assert str(raised.value) == (
        f"the secret {arn}: there is no token in it that a header could hold. {SECRET_HINT}"
    )
    assert server.asked == []


@pytest.mark.long
def test_what_cannot_be_had_is_an_error(clients, secret, server, tmp_path):
    url = f"{server.url}/a.csv"
    for source, arn, message in (
        (url, "", f"{url}: the server answers 401. Name the secret with its token by --secret, or "
         "put the right one into it"),
        (f"{server.url}/cut.csv", secret(TOKEN), f"{server.url}/cut.csv: the server's answer was "
         "cut off. Try again"),
        ("http://example.org/a.csv", secret(TOKEN), "http://example.org/a.csv: anybody on the "
         "way could read it. Use an https:// address"),
        ("http://127.0.0.1:9/a.csv", "", "http://127.0.0.1:9/a.csv: the server does not answer: "
         "[Errno 111] Connection refused. Check the address, and try again"),
        (f"s3://{BUCKET}/none.csv", "", f"s3://{BUCKET}/none.csv: it cannot be read: NoSuchKey: "
         "The specified key does not exist. Name one object that the role may read"),
        (url, "arn:aws:secretsmanager:us-east-1:1:secret:none", "the secret "
         "arn:aws:secretsmanager:us-east-1:1:secret:none: it cannot be read: "
         "ResourceNotFoundException: Secrets Manager can't find the specified secret. Name the "
         "secret that SourceSecretArn of the stack names, by its ARN"),
    ):  # fmt: skip
        with pytest.raises(UserError) as raised:
            fetch(clients, source, arn, tmp_path)
        assert str(raised.value) == message


@pytest.mark.long
def test_the_token_is_in_no_log_and_no_error(clients, secret, server, tmp_path, caplog, capfd):
    caplog.set_level(logging.INFO)
    wrong = secret("wrong-" + TOKEN)
    for source in ("a.csv", "cut.csv", "moved"):
        try:
            fetch(clients, f"{server.url}/{source}", wrong, tmp_path)
        except UserError as error:
            chain = [error, error.__cause__, error.__context__]
            assert not [part for part in chain if TOKEN in f"{part!r}{vars(part) if part else ''}"]
    assert any(given == f"Bearer wrong-{TOKEN}" for _, given in server.asked)
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("source", "table"),
    [
        ("customers.csv", "customers"), ("a/claims/", "claims"),
        ("s3://b/tables/claims/part.parquet", "part"),
        ("https://h/x/customers.jsonl?a=b/c.d", "customers"),
    ],
)  # fmt: skip
def test_a_table_is_called_as_its_source(source, table):
    assert table_of(source) == table
