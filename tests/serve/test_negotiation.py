import pytest

from sagetree.errors import NotAcceptableError, UnsupportedMediaTypeError
from sagetree.serve.bodies.csv_body import decode_csv
from sagetree.serve.bodies.decoders import decode_json, decode_json_lines
from sagetree.serve.bodies.npy import decode_npy
from sagetree.serve.bodies.parquet_body import decode_parquet
from sagetree.serve.bodies.sparse_bodies import decode_libsvm, decode_recordio
from sagetree.serve.negotiation import choose_accept, choose_decoder

CSV, JSON = "text/csv", "application/json"
LINES, RECORDIO, NPY = (
    "application/jsonlines", "application/x-recordio-protobuf", "application/x-npy",
)  # fmt: skip
ACCEPTS = ", ".join((CSV, JSON, LINES, RECORDIO, NPY))
TYPES = ", ".join((CSV, JSON, LINES, "text/libsvm", "application/x-parquet", RECORDIO, NPY))


@pytest.mark.parametrize(
    ("header", "default", "chosen"),
    [
        ("", CSV, CSV),
        ("", JSON, JSON),
        ("*/*", CSV, CSV),
        ("*/*", JSON, JSON),
        ("text/*", JSON, CSV),
        ("application/*", CSV, JSON),
        ("application/json", CSV, JSON),
        ("Application/JSON", CSV, JSON),
        ("application/json;verbose=true", CSV, JSON),
        ("text/csv; charset=utf-8", JSON, CSV),
        ("application/json, text/csv", CSV, CSV),
        ("application/json, text/csv", JSON, JSON),
        ("application/json;q=0.9, text/csv;q=0.8", CSV, JSON),
        ("text/csv;header=absent;q=0.1, application/json;q=0.2", CSV, JSON),
        ("text/csv;q=0, */*", CSV, JSON),
        ("application/jsonlines", CSV, LINES),
        ("application/x-npy, application/x-recordio-protobuf;q=0.5", CSV, NPY),
        ("application/x-recordio-protobuf", CSV, RECORDIO),
        ("application/*;q=0.5, application/jsonlines", CSV, LINES),
        ("image/png, */*;q=0.1", CSV, CSV),
        ("image/png, application/json;q=0.1", CSV, JSON),
    ],
)
def test_accept_is_negotiated(header: str, default: str, chosen: str):
    assert choose_accept(header, default) == chosen


@pytest.mark.parametrize("header", ["image/png", "text/html, image/*", "text/csv;q=0", "csv"])
def test_other_accepts_are_refused(header: str):
    with pytest.raises(NotAcceptableError) as caught:
        choose_accept(header, CSV)
    assert str(caught.value) == (
        f"Accept: the answer cannot be {header!r}. Accept one of {ACCEPTS}"
    )


@pytest.mark.parametrize(
    ("content_type", "decoder", "parameters"),
    [
        ("text/csv", decode_csv, {}),
        ("TEXT/CSV; Charset=UTF-8", decode_csv, {"charset": "UTF-8"}),
        ('text/csv; header="present"', decode_csv, {"header": "present"}),
        ("text/csv;label_size=1", decode_csv, {"label_size": "1"}),
        ('text/csv; charset=utf-8; Label_Size="1"', decode_csv,
         {"charset": "utf-8", "label_size": "1"}),
        ("text/csv; delimiter=pipe", decode_csv, {"delimiter": "pipe"}),
        ("application/json", decode_json, {}),
        ("Application/Json ; charset=utf-8", decode_json, {"charset": "utf-8"}),
        ('text/csv; delimiter=";"', decode_csv, {"delimiter": ";"}),
        ("csv", decode_csv, {}),
        ("application/jsonlines", decode_json_lines, {}),
        ("application/x-ndjson", decode_json_lines, {}),
        ("text/libsvm", decode_libsvm, {}),
        ("text/x-libsvm; charset=utf-8", decode_libsvm, {"charset": "utf-8"}),
        ("libsvm", decode_libsvm, {}),
        ("application/x-parquet", decode_parquet, {}),
        ("application/x-recordio-protobuf", decode_recordio, {}),
        ("recordio-protobuf", decode_recordio, {}),
        ("application/x-npy", decode_npy, {}),
    ],
)  # fmt: skip
def test_content_types_have_a_decoder(content_type: str, decoder: object, parameters: object):
    found = choose_decoder(content_type, "identity")
    assert (found.decode, found.parameters) == (decoder, parameters)


@pytest.mark.parametrize(
    ("content_type", "encoding", "text"),
    [
        ("", "", f"Content-Type: the header is missing. Send one of {TYPES}"),
        (
            "application/x-www-form-urlencoded",
            "",
            "Content-Type: 'application/x-www-form-urlencoded' is not supported. "
            f"Send one of {TYPES}",
        ),
        (
            "text/csv",
            "gzip",
            "Content-Encoding: the body is compressed as 'gzip'. Send the body uncompressed",
        ),
        *(
            (
                f"text/csv; label_size={size}",
                "",
                f"Content-Type: the parameter label_size is '{size}'. Write label_size=1, as for "
                "training's files, or leave it out; rows of a request have no label in either "
                "case",
            )
            for size in ("0", "5", "1=1", "")
        ),
    ],
)
def test_other_content_types_are_refused(content_type: str, encoding: str, text: str):
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        choose_decoder(content_type, encoding)
    assert str(caught.value) == text
