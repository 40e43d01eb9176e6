"""What deployments need of the stack: its parameters, and an alarm on each variant."""

import re
from pathlib import Path

from sagetree.cloud.deployment.parameters import NAMES
from sagetree.cloud.deployment.requests import BESIDE, CAPTURED, VARIANT

TEXT = (Path(__file__).parents[3] / "cloud" / "template.yaml").read_text()


def test_what_is_remembered_goes_with_the_stack():
    declared = re.findall(r'AWS::SSM::Parameter.*\$\{AWS::StackName\}/([a-z-]+)"', TEXT)
    assert set(NAMES) <= set(declared)


def test_an_alarm_watches_the_errors_of_each_variant():
    alarms = re.findall(r"MetricName: Invocation5XXErrors, .*VariantName, Value: (\w+)", TEXT)
    assert sorted(alarms) == sorted([VARIANT, BESIDE])


def test_a_shadow_s_answers_may_be_kept():
    assert f'!Sub "${{Bucket.Arn}}/{CAPTURED}/${{AWS::StackName}}/*"' in TEXT
