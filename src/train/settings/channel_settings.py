"""inputdataconfig.json: the channels, and what their content types promise."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from sagetree.errors import PlatformError, SettingsError, quote
from sagetree.formats.charsets import CHARSETS, find_charset
from sagetree.formats.detection import BINARY, Format
from sagetree.formats.media_types import CSV, FILE_TYPES, LABEL_SIZE, OTHER_NAMES, label_size
from sagetree.machine.paths import BASE_DIR_VARIABLE, OptMl

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
MODEL = "model"


# What a channel that no job reads is meant to be, by the names others give it.
_MEANT = {
    **dict.fromkeys(("val", "valid", "validate", "eval", "evaluation", "dev"), VALIDATION),
    **dict.fromkeys(("testing", "holdout", "hold_out"), TEST),
    "training": TRAIN,
}


def read_json(path: Path) -> Mapping[str, Any]:
    """Return the object in a config file; one that is absent is empty.

    Raises SettingsError for one that is not an object, PlatformError for one that
    cannot be read.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        hint = "Check its permissions, and that it is a file"
        raise PlatformError("the file cannot be read", where=path.name, hint=hint) from error
    except orjson.JSONDecodeError as error:
        raise SettingsError(
            f"it is not JSON: {error}", where=path.name, hint="Write an object"
        ) from error
    if not isinstance(value, dict):
        raise SettingsError(
            "it does not hold a JSON object", where=path.name, hint="Write an object"
        )
    return value


def read_channels(opt_ml: OptMl) -> Mapping[str, Any]:
    """Return each channel and what inputdataconfig.json says about it.

    Without that file the channels are the folders under input/data, as in the
    classic test_dir.
    """
    config = read_json(opt_ml.input_data_config)
    if not config and opt_ml.data.is_dir():
        return {p.name: {} for p in sorted(opt_ml.data.iterdir()) if not p.name.startswith(".")}
    return config


def read_formats(opt_ml: OptMl, faults: list[str]) -> dict[str, Format | None]:
    """Return each channel and what its ContentType promises."""
    config = read_channels(opt_ml)
    formats = {}
    for channel, description in config.items():
        content_type = ""
        if isinstance(description, dict):
            content_type = str(description.get("ContentType") or "")
            if description.get("TrainingInputMode") == "Pipe":
                faults.append(f"channel {quote(channel)} is in Pipe mode: use File or FastFile")
        try:
            formats[channel] = _format(content_type)
        except ValueError as error:
            formats[channel] = None
            if channel in (TRAIN, VALIDATION, TEST):
                faults.append(f"channel {quote(channel)} has {error}")
    if TRAIN not in config:
        faults.append(_no_train(opt_ml, config))
    return formats


def _no_train(opt_ml: OptMl, channels: Collection[str]) -> str:
    found = ", ".join(map(quote, channels)) or "none"
    if read_json(opt_ml.input_data_config):
        return (
            f"channel 'train' is missing from {opt_ml.input_data_config.name} (channels: {found}): "
            "give that name to the channel with the rows to learn from"
        )
    return (
        f"channel 'train' is missing (channels: {found}): put files into "
        f"{opt_ml.data / TRAIN}, name another folder than {opt_ml.root} by {BASE_DIR_VARIABLE}, "
        "or name files of your own (sagetree train FILE --target COLUMN)"
    )


def channel_notes(channels: Collection[str]) -> Iterator[str]:
    """Return the log's lines about channels whose names are nearly those that a job reads."""
    from difflib import get_close_matches  # few need it

    for channel in channels:
        if channel in (TRAIN, VALIDATION, TEST, MODEL):
            continue
        name = channel.lower()
        close = get_close_matches(name, (TRAIN, VALIDATION, TEST), n=1, cutoff=0.8)
        for meant in [_MEANT[name]] if name in _MEANT else close:
            yield f"channel {quote(channel)} is not read: the one that a job reads is {meant!r}"


def read_charsets(opt_ml: OptMl, faults: list[str]) -> dict[str, str]:
    """Return the channels of text whose ContentType names a charset, and which one."""
    charsets = {}
    for channel, description in read_channels(opt_ml).items():
        content_type = description.get("ContentType") if isinstance(description, dict) else None
        _, *parameters = str(content_type or "").split(";")
        pairs = dict(parameter.partition("=")[::2] for parameter in parameters)
        told = {name.strip().lower(): value.strip().strip('"') for name, value in pairs.items()}
        if channel not in (TRAIN, VALIDATION, TEST) or "charset" not in told:
            continue
        charset = find_charset(told["charset"])
        if charset is None:
            faults.append(
                f"channel {quote(channel)} has the charset {quote(told['charset'])} in its "
                f"ContentType: take one of {', '.join(CHARSETS)}"
            )
        elif FILE_TYPES.get(_media_type(str(content_type))) not in BINARY:
            charsets[channel] = charset
    return charsets


def _media_type(content_type: str) -> str:
    name = content_type.split(";")[0].strip().lower()
    return OTHER_NAMES.get(name, name)


def _format(content_type: str) -> Format | None:
    """Return what a content type promises. Raises ValueError for a type or label_size of none."""
    media_type = _media_type(content_type)
    if not media_type:
        return None
    if media_type not in FILE_TYPES:
        known = ", ".join(FILE_TYPES)
        raise ValueError(f"the ContentType {quote(content_type)}: take one of {known}")
    if media_type == CSV and label_size(content_type) != LABEL_SIZE:
        raise ValueError(
            f"the ContentType {quote(content_type)}: write label_size=1 or leave it out, and name "
            "the label by target if it is not the first column"
        )
    return FILE_TYPES[media_type]
