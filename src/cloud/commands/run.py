"""`sagetree cloud run`: start the pipeline, and follow it to its end."""

from collections.abc import Mapping

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.stack import PAUSE_SECONDS, existing_stack
from sagetree.cloud.account.typed import words_of
from sagetree.errors import UserError


def run(account: Account, parameters: Mapping[str, str]) -> int:
    """Start the pipeline with parameters, say each step as it changes, and say how it ended."""
    request: dict[str, object] = {"PipelineName": account.stack}
    if parameters:
        request["PipelineParameters"] = [{"Name": n, "Value": v} for n, v in parameters.items()]
    if account.dry_run:
        words = words_of("sagemaker", "start_pipeline_execution", request)
        variable = "PIPELINE_EXECUTION_ARN"
        _type_looks(account, account.type_variable(variable, *words, query="PipelineExecutionArn"))
        return 0
    existing_stack(account)
    started = account.call("sagemaker", "start_pipeline_execution", **request)
    _type_looks(account, started["PipelineExecutionArn"])
    return _follow(account, started["PipelineExecutionArn"])


def _type_looks(account: Account, arn: str) -> None:
    for operation in ("describe-pipeline-execution", "list-pipeline-execution-steps"):
        account.type_out("sagemaker", operation, "--pipeline-execution-arn", arn)


def _follow(account: Account, arn: str) -> int:
    said: dict[str, str] = {}
    while True:
        execution = account.ask(
            "sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn
        )
        reasons = _say_steps(account, arn, said)
        status = execution["PipelineExecutionStatus"]
        if status in ("Succeeded", "Failed", "Stopped"):
            break
        account.pause(PAUSE_SECONDS)
    if status == "Succeeded":
        account.say("Succeeded")
        account.say(f"To see the model:  sagetree cloud status {account.options}")
        account.say(
            "To approve it, unless Approval is automatic:  "
            f"sagetree cloud approve {account.options}"
        )
        return 0
    reason = reasons or execution.get("FailureReason", "")
    raise UserError(
        f"the pipeline's run {arn.rsplit('/', 1)[-1]} {status.lower()}"
        + (f": {reason.rstrip('.')}" if reason else ""),
        hint="Correct that, and run it again; the log of a job is in CloudWatch, "
        "below /aws/sagemaker/",
    )


def _say_steps(account: Account, arn: str, said: dict[str, str]) -> str:
    """Say each step whose status is not what was said last; return why steps failed."""
    steps = account.pages(
        "sagemaker",
        "list_pipeline_execution_steps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
    )
    for step in steps:
        name, status = step["StepName"], step["StepStatus"]
        if said.get(name) != status:
            said[name] = status
            account.say(f"  {name}: {status}")
    failed = [step for step in steps if step["StepStatus"] == "Failed"]
    return "; ".join(f"{s['StepName']}: {s.get('FailureReason', 'no reason')}" for s in failed)
