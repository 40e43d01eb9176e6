"""A call of AWS as a line that can be typed: the AWS CLI's words for boto3's."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

# boto3's name of a service, where the AWS CLI has another one.
_SERVICES = {"s3": "s3api"}

# What a shell leaves as it is between double quotes, but for variables such as $BUCKET_NAME.
_IN_DOUBLE_QUOTES = re.compile(r"(?:[^\"\\$`!]|\$[A-Z_]+\b)*")

_VARIABLE = re.compile(r"(\$[A-Z_]+\b)")


def words_of(service: str, operation: str, parameters: Mapping[str, object]) -> list[str]:
    """Return the AWS CLI's words for a boto3 call.

    >>> words_of("s3", "head_bucket", {"Bucket": "claims"})
    ['s3api', 'head-bucket', '--bucket', 'claims']
    """
    from botocore import xform_name  # few commands need it

    words = [_SERVICES.get(service, service), operation.replace("_", "-")]
    for name, value in parameters.items():
        words += _option(xform_name(name, "-"), value)
    return words


def _option(name: str, value: object) -> Iterator[str]:
    match value:
        case True:
            yield f"--{name}"
        case False:
            yield f"--no-{name}"
        case [str(), *_] as texts:
            yield f"--{name}"
            yield from map(str, texts)
        case Mapping() | list():
            yield from (f"--{name}", json.dumps(value))
        case _:
            yield from (f"--{name}", str(value))


def line_of(words: Sequence[str]) -> str:
    r"""Return words as one line of a shell; a variable such as $BUCKET_NAME stays one.

    >>> line_of(["aws", "s3", "cp", "my claims.csv", "s3://$BUCKET_NAME/tables/"])
    'aws s3 cp \'my claims.csv\' "s3://$BUCKET_NAME/tables/"'
    >>> print(line_of(['{"Id": "$API_ID"}']))
    '{"Id": "'"$API_ID"'"}'
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if ("$" in word or "'" in word) and _IN_DOUBLE_QUOTES.fullmatch(word):
        return f'"{word}"'
    # single quotes end before a variable, and begin again after it
    texts = [text for text in _VARIABLE.split(word) if text] or [""]
    return "".join(f'"{t}"' if _VARIABLE.fullmatch(t) else shlex.quote(t) for t in texts)
