"""A function's settings from its environment, and names that follow from content."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Self, get_args

from sagetree.errors import SettingsError, quote

# Jobs that are not steps of the pipeline.
JobKind = Literal["drift", "batch"]

EndpointKind = Literal["serverless", "instance", "asynchronous", "lambda"]

# The value of a parameter of the stack that has none yet; Parameter Store takes no empty one.
NONE = "none"

# SageMaker's names of endpoints, models and configs have 63 characters at most, and a version and a
# hash take up to 19 of them.
LONGEST_STACK = 44

_PREFIX = "SAGETREE_"


@dataclass(frozen=True)
class Settings:
    """The stack that a function belongs to, and how its models are served."""

    stack: str
    role_arn: str
    bucket: str
    topic_arn: str
    answers_topic_arn: str
    endpoint_kind: EndpointKind | Literal[""]
    instance_type: str
    instances: int
    instances_max: int
    memory_mb: int
    concurrency: int
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    kms_key_arn: str
    alarms: tuple[str, ...]
    private_fields: tuple[str, ...]
    id_field: str
    claims_url: str
    dead_claims_url: str
    alert_table: str
    alert_score: float
    capture_percent: int
    image_uri: str
    job_role_arn: str
    job_instance_type: str
    drift_days: int
    online_tables: tuple[str, ...]
    store_role_arn: str
    store_database: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings of a function. Raises SettingsError, with all faults at once."""
        values: dict[str, object] = {}
        faults = []
        for name, variable in _VARIABLES.items():
            text = environ.get(_variable(name), "").strip() or variable.default
            try:
                values[name] = variable.read(text)
            except ValueError as fault:
                given = f"{quote(text)} is not {fault}" if text else f"is missing; it is {fault}"
                faults.append(f"{_variable(name)}: {given}")
        faults += [] if faults else _contradictions(cls(**values))  # type: ignore[arg-type]
        if faults:
            hint = "The stack's template sets it; update the stack with the template as it is"
            raise SettingsError("; ".join(faults), where="the function's environment", hint=hint)
        return cls(**values)  # type: ignore[arg-type]

    def need(self, *names: str) -> None:
        """Raise SettingsError if one of these has no value: not every function has every one."""
        missing = [_variable(name) for name in names if not getattr(self, name)]
        if missing:
            hint = "The stack's template sets it; update the stack with the template as it is"
            where = "the function's environment"
            verb = "is" if len(missing) == 1 else "are"
            raise SettingsError(f"{', '.join(missing)} {verb} missing", where=where, hint=hint)

    @property
    def scales(self) -> bool:
        """Whether the number of instances follows the load."""
        return self.endpoint_kind != "serverless" and self.instances_max > self.instances

    def parameter(self, name: str) -> str:
        """Return the name of one of the stack's parameters in Parameter Store."""
        return f"/{self.stack}/{name}"


class _Variable(NamedTuple):
    read: Callable[[str], object]
    default: str = ""


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def _matching(pattern: str, what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(what)
        return text

    return read


def _number(least: int, most: int, step: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if not least <= value <= most or value % step:
            steps = f" in steps of {step}" if step > 1 else ""
            raise ValueError(f"a whole number from {least} to {most}{steps}")
        return value

    return read


def _score(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError("a score, such as 0.5")
    return float(text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (entry.strip() for entry in text.split(","))))


def _kind(text: str) -> EndpointKind | Literal[""]:
    for kind in ("", *get_args(EndpointKind)):
        if text == kind:
            return kind  # type: ignore[no-any-return]
    raise ValueError(f"one of {', '.join(get_args(EndpointKind))}")


_ARN = r"arn:aws[a-z-]*"

_TOPIC = rf"({_ARN}:sns:[a-z0-9-]+:\d{{12}}:.+)?"

_VARIABLES: Mapping[str, _Variable] = {
    "stack": _Variable(
        _matching("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "the name of a stack: letters, digits, -")
    ),
    "role_arn": _Variable(_matching(rf"({_ARN}:iam::\d{{12}}:role/.+)?", "the ARN of a role")),
    "bucket": _Variable(_matching("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket")),
    "topic_arn": _Variable(_matching(_TOPIC, "the ARN of a topic")),
    "answers_topic_arn": _Variable(_matching(_TOPIC, "the ARN of a topic")),
    "endpoint_kind": _Variable(_kind),
    "instance_type": _Variable(
        _matching(r"ml\.[a-z0-9-]+\.[a-z0-9]+", "an instance type such as ml.m5.large"),
        "ml.m5.large",
    ),
    "instances": _Variable(_number(1, 1000), "1"),
    "instances_max": _Variable(_number(1, 1000), "1"),
    "memory_mb": _Variable(_number(1024, 6144, 1024), "2048"),
    "concurrency": _Variable(_number(1, 200), "20"),
    "subnets": _Variable(_list),
    "security_groups": _Variable(_list),
    "kms_key_arn": _Variable(
        _matching(rf"({_ARN}:kms:[a-z0-9-]+:\d{{12}}:key/.+)?", "the ARN of a key")
    ),
    "alarms": _Variable(_list),
    "private_fields": _Variable(_list),
    "id_field": _Variable(str),
    "claims_url": _Variable(_matching(r"(https?://\S+)?", "the URL of a queue")),
    "dead_claims_url": _Variable(_matching(r"(https?://\S+)?", "the URL of a queue")),
    "alert_table": _Variable(str),
    "alert_score": _Variable(_score, "0.5"),
    "capture_percent": _Variable(_number(0, 100), "0"),
    "image_uri": _Variable(str),
    "job_role_arn": _Variable(_matching(rf"({_ARN}:iam::\d{{12}}:role/.+)?", "the ARN of a role")),
    "job_instance_type": _Variable(
        _matching(r"ml\.[a-z0-9-]+\.[a-z0-9]+", "an instance type such as ml.m5.large"),
        "ml.m5.large",
    ),
    "drift_days": _Variable(_number(1, 365), "30"),
    "online_tables": _Variable(_list),
    "store_role_arn": _Variable(
        _matching(rf"({_ARN}:iam::\d{{12}}:role/.+)?", "the ARN of a role")
    ),
    "store_database": _Variable(str),
}


def _contradictions(settings: Settings) -> list[str]:
    faults = []
    if settings.instances_max < settings.instances:
        faults.append(
            f"SAGETREE_INSTANCES_MAX: {settings.instances_max} is less than"
            f" SAGETREE_INSTANCES, {settings.instances}"
        )
    if bool(settings.subnets) != bool(settings.security_groups):
        faults.append("SAGETREE_SUBNETS and SAGETREE_SECURITY_GROUPS: give both or none")
    if settings.subnets and settings.endpoint_kind == "serverless":
        faults.append("SAGETREE_SUBNETS: a serverless endpoint cannot be in a network")
    if len(settings.alarms) > 10:
        faults.append(
            f"SAGETREE_ALARMS: {len(settings.alarms)} alarms, and SageMaker takes at most 10"
        )
    return faults


def fault_of_stack(stack: str) -> str:
    """Return why a stack of this name cannot work, "" if it can.

    >>> fault_of_stack("fraud")
    ''
    """
    if len(stack) > LONGEST_STACK:
        return (
            f"the stack's name has {len(stack)} characters, and may have at most "
            f"{LONGEST_STACK}: names of"
            " models and configs begin with it"
        )
    if stack != stack.lower():
        return (
            "the stack's name has capital letters: SageMaker checks permissions by ARNs in lower"
            f" case. Call it {stack.lower()}"
        )
    if stack.startswith(("aws", "ssm")):
        return (
            f"the stack's name begins with {stack[:3]}: Parameter Store reserves such parameter "
            "names for AWS"
        )
    if stack.endswith("-"):
        return (
            "the stack's name ends with a hyphen: SageMaker does not accept such a name for an "
            "endpoint"
        )
    return ""


def prefix(stack: str) -> str:
    """Return what the names of a stack's models and configs begin with.

    >>> prefix("fraud")
    'fraud-'
    """
    return f"{stack}-"


class Versions(NamedTuple):
    """The versions of packages that are served together.

    The challenger gets a share of the requests, or, as a shadow, copies of all.

    >>> str(Versions(3)), str(Versions(3, 4)), str(Versions(3, 4, is_shadow=True))
    ('3', '3c4', '3s4')
    """

    champion: int
    challenger: int | None = None
    is_shadow: bool = False

    def __str__(self) -> str:
        if self.challenger is None:
            return str(self.champion)
        return f"{self.champion}{'s' if self.is_shadow else 'c'}{self.challenger}"


def name_of(stack: str, versions: Versions, content: object) -> str:
    """Return the name of what serves packages of these versions: the same for the same content.

    `content` is a value of JSON. Whoever comes twice finds what he made the first time.
    """
    return f"{prefix(stack)}{versions}-{_hash(json.dumps(content, sort_keys=True))}"


def versions_in(stack: str, name: str) -> Versions | None:
    """Return the versions in a name that `name_of` made for the stack, None for any other name.

    >>> str(versions_in("fraud", "fraud-7-0123abcd")), versions_in("fraud", "fraud-old-7-0123abcd")
    ('7', None)
    """
    ours = re.escape(prefix(stack)) + r"(\d{1,9})(?:([cs])(\d{1,9}))?-[0-9a-f]{8}"
    found = re.fullmatch(ours, name)
    if not found:
        return None
    return Versions(int(found[1]), int(found[3]) if found[3] else None, found[2] == "s")


def job_name(stack: str, kind: JobKind, now: datetime) -> str:
    """Return the name of a job that is started now; SageMaker takes 63 characters.

    >>> job_name("fraud", "drift", datetime(2026, 1, 1))
    'fraud-drift-260101000000'
    """
    return f"{prefix(stack)}{kind}-{now:%y%m%d%H%M%S}"


def is_job_of(stack: str, kind: JobKind, name: str) -> bool:
    """Return whether a job is this stack's, and not one of a stack whose name is longer.

    >>> is_job_of("fraud", "drift", "fraud-drift-260101000000")
    True
    >>> is_job_of("fraud", "drift", "fraud-drift-b-drift-260101000000")
    False
    """
    return re.fullmatch(rf"{re.escape(prefix(stack))}{kind}-\d+", name) is not None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
