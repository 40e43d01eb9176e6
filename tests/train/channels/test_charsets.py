"""Channels in another charset than UTF-8, as their ContentType says."""

import gzip
import json

import pytest

from tests.train.conftest import Job

WORDS = ("é", "né")
TEXT = "état,größe\n" + "".join(f"{i % 2},{WORDS[i % 3 > 0]}\n" for i in range(60))
RECORDS = "".join(
    json.dumps({"état": i % 2, "größe": WORDS[i % 3 > 0]}, ensure_ascii=False) + "\n"
    for i in range(60)
)


def config(content_type: str) -> dict[str, object]:
    return {"train": {"ContentType": content_type}}


@pytest.fixture
def job(quick_job: Job) -> Job:
    return quick_job


@pytest.mark.parametrize(
    ("charset", "packed"),
    [
        ("windows-1252", False),
        ("utf-16", True),
        pytest.param("Latin-1", True, marks=pytest.mark.long),
        pytest.param('"UTF-8"', False, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("kind", ["text/csv", "application/jsonlines"])
def test_text_is_decoded_by_the_charset(job: Job, charset: str, kind: str, packed: bool) -> None:
    text = TEXT if kind == "text/csv" else RECORDS
    body = text.encode(charset.strip('"'))
    files = {"a.gz": gzip.compress(body)} if packed else {"a": body}
    ran = job({"train": files}, {"preset": "xgboost"}, config(f"{kind}; charset={charset}"))
    assert ran.code == 0, ran.log
    assert "60 rows; label état: 30 are '1' (50.00%), the rest '0'" in ran.log
    (column,) = ran.model.schema.columns
    assert (column.name, column.categories) == ("größe", ("né", "é"))


def test_a_charset_is_of_text(job: Job) -> None:
    from tests.serve.encoded import parquet

    body = parquet({"y": [0, 1] * 30, "a": [*range(20)] * 3})
    ran = job({"train": {"a": body}}, {}, config("application/x-parquet; charset=utf-16"))
    assert ran.code == 0, ran.log


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        (
            "utf-16",
            "a.csv: the text is not utf-16. "
            "Correct the charset in the channel's ContentType, or save the file as UTF-8\n",
        ),
        (
            "us-ascii",
            "a.csv: the text is not us-ascii. "
            "Correct the charset in the channel's ContentType, or save the file as UTF-8\n",
        ),
        (
            "utf-32",
            "channel 'train' has the charset 'utf-32' in its ContentType: take one of utf-8, "
            "us-ascii, iso-8859-1, windows-1252, utf-16. Correct it\n",
        ),
        (
            "utf-8",
            "a.csv line 1: the text is not UTF-8. Save the file as UTF-8, such as with: "
            "iconv -f windows-1252 -t utf-8 FILE\n",
        ),
    ],
)
def test_what_is_not_of_its_charset_is_refused(job: Job, charset: str, text: str) -> None:
    body = TEXT.encode("windows-1252") + b"1"
    ran = job({"train": {"a.csv": body}}, {}, config(f"text/csv; charset={charset}"))
    assert ran.failure == text


@pytest.mark.long
def test_a_check_does_not_cut_what_it_cannot(job: Job) -> None:
    text = TEXT + "1,né\n" * 1_800_000
    ran = job(
        {"train": {"a.csv": text.encode("utf-16")}},
        {"num_round": "1"},
        config("text/csv; charset=utf-16"),
        ["--check"],
    )
    assert ran.code == 0, ran.log
    assert "1800060 rows of train" in ran.log
