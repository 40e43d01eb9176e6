"""Each rule of cloud/rules.guard is broken by what it is there against, and by nothing else."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.linters.programs import by_guard
from tests.cloud.linters.stacks import write_templates
from tests.needs import needs_uv

Resources = dict[str, Any]

# A rule, the resource that breaks it, and how.
BREACHES: list[tuple[str, str, Callable[[Resources], object]]] = [
    (
        "roles_have_no_managed_policies",
        "JobRole",
        lambda of: of["JobRole"]["Properties"].update(ManagedPolicyArns=["arn:aws:iam::aws:x"]),
    ),
    ("no_action_has_a_star", "JobRole", lambda of: own(of, "JobRole")[0].update(Action="s3:*")),
    (
        "no_action_has_a_star",
        "ContainerPolicy",
        lambda of: said(of, "ContainerPolicy")[0]["Action"].append("ecr:*"),
    ),
    (
        "services_act_for_this_account_only",
        "ModelRole",
        lambda of: of["ModelRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0].pop(
            "Condition"
        ),
    ),
    (
        "nobody_is_allowed_without_a_name",
        "DeadPolicy",
        lambda of: said(of, "DeadPolicy")[1].update(Principal="*"),
    ),
    ("logs_end", "ApiLog", lambda of: of["ApiLog"]["Properties"].pop("RetentionInDays")),
    (
        "functions_are_the_image_traced_and_logged",
        "CleanFunction",
        lambda of: of["CleanFunction"]["Properties"].pop("TracingConfig"),
    ),
    (
        "buckets_are_private_encrypted_and_versioned",
        "Bucket",
        lambda of: of["Bucket"]["Properties"].pop("BucketEncryption"),
    ),
    (
        "queues_are_encrypted",
        "Dead",
        lambda of: of["Dead"]["Properties"].update(SqsManagedSseEnabled=False),
    ),
    ("nothing_is_sent_without_tls", "AlertsPolicy", lambda of: said(of, "AlertsPolicy").pop()),
    (
        "the_api_asks_who_calls_and_how_often",
        "ScoreRoute",
        lambda of: of["ScoreRoute"]["Properties"].update(AuthorizationType="NONE"),
    ),
    (
        "the_api_asks_who_calls_and_how_often",
        "ApiStage",
        lambda of: of["ApiStage"]["Properties"].pop("DefaultRouteSettings"),
    ),
    (
        "alarms_tell_somebody",
        "DeadLetters",
        lambda of: of["DeadLetters"]["Properties"].pop("AlarmActions"),
    ),
]

# The same of stacks before and beside the core, each with the name of what is spoilt.
BREACHES_BESIDE: list[tuple[str, str, str, Callable[[Resources], object]]] = [
    (
        "lambda-network",
        "nothing_leads_out_of_a_network",
        "Way",
        lambda of: of.update(Way={"Type": "AWS::EC2::InternetGateway", "Properties": {}}),
    ),
    (
        "lambda-network",
        "a_network_leads_to_services_for_this_account_only",
        "QueuesDoor",
        lambda of: said(of, "QueuesDoor")[0].pop("Condition"),
    ),
    (
        "lambda-network",
        "a_network_leads_to_services_for_this_account_only",
        "TopicsDoor",
        lambda of: of["TopicsDoor"]["Properties"].pop("PolicyDocument"),
    ),
    ("lambda-network", "networks_are_logged", "", lambda of: of.pop("Flows")),
    (
        "lambda-network",
        "keys_are_rotated_and_stay",
        "Key",
        lambda of: of["Key"].update(DeletionPolicy="Delete"),
    ),
    (
        "instance-domain",
        "names_are_reached_by_tls",
        "Domain",
        lambda of: of["Domain"]["Properties"]["DomainNameConfigurations"][0].pop("SecurityPolicy"),
    ),
    (
        "instance-account",
        "trails_miss_nothing_and_can_be_proved",
        "AccountTrail",
        lambda of: of["AccountTrail"]["Properties"].update(EnableLogFileValidation=False),
    ),
]


def own(resources: Resources, role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's first policy."""
    return resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]


def said(resources: Resources, policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy."""
    return resources[policy]["Properties"]["PolicyDocument"]["Statement"]


@pytest.mark.long
@needs_uv
def test_each_rule_finds_what_it_is_against(tmp_path: Path) -> None:
    templates = {file.stem: json.loads(file.read_text()) for file in write_templates(tmp_path)}
    core = [("serverless", *breach) for breach in BREACHES]
    broken, wanted = [], set()
    for number, (name, rule, resource, spoil) in enumerate([*core, *BREACHES_BESIDE]):
        spoilt = copy.deepcopy(templates[name])
        spoil(spoilt["Resources"])
        broken.append(tmp_path / f"broken{number}.json")
        broken[-1].write_text(json.dumps(spoilt))
        # of what is not there Guard names no resource
        wanted.add((rule, resource or broken[-1].stem))
    policyless = copy.deepcopy(templates["serverless"])
    del policyless["Resources"]["DeadPolicy"]
    broken.append(tmp_path / "policyless.json")
    broken[-1].write_text(json.dumps(policyless))
    wanted.add(("nothing_is_sent_without_tls", "policyless"))
    assert set(by_guard(tmp_path, broken, tmp_path)) == wanted
