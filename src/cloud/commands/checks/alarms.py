"""Alarms: there, heard by somebody, and quiet."""

from collections.abc import Iterator

from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.checks.finding import Finding, Launched


def check_alarms(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare each alarm of the stack."""
    names = launched.of_type("AWS::CloudWatch::Alarm")
    listed = (
        account.listed("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=list(names))
        if names
        else []
    )
    found = {alarm["AlarmName"]: alarm for alarm in listed}
    for name in names:
        alarm = found.get(name)
        yield Finding(
            f"the alarm {name} is there and tells the topic",
            bool(alarm and alarm["ActionsEnabled"] and alarm["AlarmActions"]),
            f"'aws cloudwatch enable-alarm-actions --alarm-names {name}'"
            if alarm
            else "it is missing; launch the stack anew",
        )
        if alarm:
            yield Finding(
                f"the alarm {name} is quiet",
                alarm["StateValue"] != "ALARM",
                alarm.get("StateReason", "") or "see it in the console, under CloudWatch",
            )


def check_subscription(account: Account, launched: Launched) -> Iterator[Finding]:
    """Say whether the address that the launch named has confirmed that it wants alerts."""
    address = launched.stack.parameters.get("AlertEmail")
    topic = launched.stack.outputs.get("AlertTopicArn")
    if not address or not topic:
        return
    listed = account.listed("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    arns = [entry["SubscriptionArn"] for entry in listed if entry["Endpoint"] == address]
    yield Finding(
        f"{address} gets the alerts",
        any(arn.startswith("arn:") for arn in arns),
        "confirm it by the link in the mail from AWS"
        if arns
        else "it has unsubscribed; subscribe it again in the console, under SNS",
    )
