"""sagetree cloud run: the pipeline's steps as they change, and how it ended."""

import pytest

from sagetree.cloud.commands.run import run
from sagetree.errors import UserError

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/fraud/execution/abcdefghijkl"


def steps(**statuses):
    found = [{"StepName": name, "StepStatus": status} for name, status in statuses.items()]
    return {"PipelineExecutionSteps": found}


def execution(status, **more):
    return {"PipelineExecutionArn": ARN, "PipelineExecutionStatus": status, **more}


def test_a_run_is_started_with_its_parameters_and_followed(person):
    person.make_stack()
    asked = []
    person.answer_by(
        "sagemaker",
        "StartPipelineExecution",
        lambda request: asked.append(request["body"]) or {"PipelineExecutionArn": ARN},
    )
    looks = [execution("Executing"), execution("Executing"), execution("Succeeded")]
    person.answer("sagemaker", "DescribePipelineExecution", looks)
    changes = [
        steps(Prepare="Executing"),
        steps(Prepare="Succeeded", Train="Executing"),
        steps(Prepare="Succeeded", Train="Succeeded"),
    ]
    person.answer("sagemaker", "ListPipelineExecutionSteps", changes)
    code, said = person.hears(lambda: run(person.account, {"MinimumAuc": "0.8"}))
    assert code == 0
    assert '"PipelineParameters": [{"Name": "MinimumAuc", "Value": "0.8"}]' in asked[0].decode()
    assert said == [
        "+ aws sagemaker start-pipeline-execution --pipeline-name fraud --pipeline-parameters "
        """'[{"Name": "MinimumAuc", "Value": "0.8"}]'""",
        f"+ aws sagemaker describe-pipeline-execution --pipeline-execution-arn {ARN}",
        f"+ aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {ARN}",
        "  Prepare: Executing",
        "  Prepare: Succeeded",
        "  Train: Executing",
        "  Train: Succeeded",
        "Succeeded",
        "To see the model:  sagetree cloud status --stack fraud",
        "To approve it, unless Approval is automatic:  sagetree cloud approve --stack fraud",
    ]
    assert person.pauses == [5.0, 5.0]


def test_a_run_that_fails_says_why(person):
    person.make_stack()
    person.answer("sagemaker", "StartPipelineExecution", [{"PipelineExecutionArn": ARN}])
    person.answer("sagemaker", "DescribePipelineExecution", [execution("Failed")])
    weak = {"StepName": "TooWeak", "StepStatus": "Failed", "FailureReason": "AUC 0.84 is below 0.9"}
    person.answer("sagemaker", "ListPipelineExecutionSteps", [{"PipelineExecutionSteps": [weak]}])
    with pytest.raises(UserError) as raised:
        person.hears(lambda: run(person.account, {}))
    assert str(raised.value) == (
        "the pipeline's run abcdefghijkl failed: TooWeak: AUC 0.84 is below 0.9. Correct that, "
        "and run it again; the log of a job is in CloudWatch, below /aws/sagemaker/"
    )


def test_a_run_that_is_stopped_is_no_success(person):
    person.make_stack()
    person.answer("sagemaker", "StartPipelineExecution", [{"PipelineExecutionArn": ARN}])
    person.answer("sagemaker", "DescribePipelineExecution", [execution("Stopped")])
    person.answer("sagemaker", "ListPipelineExecutionSteps", [steps(Train="Stopped")])
    with pytest.raises(UserError, match=r"the pipeline's run abcdefghijkl stopped\. Correct that"):
        person.hears(lambda: run(person.account, {}))


def test_a_dry_run_keeps_the_execution_in_a_variable(person):
    code, said = person.hears(lambda: run(person.dry, {}))
    assert code == 0
    assert said == [
        "+ PIPELINE_EXECUTION_ARN=$(aws sagemaker start-pipeline-execution --pipeline-name fraud "
        "--query PipelineExecutionArn --output text)",
        "+ aws sagemaker describe-pipeline-execution --pipeline-execution-arn "
        '"$PIPELINE_EXECUTION_ARN"',
        "+ aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn "
        '"$PIPELINE_EXECUTION_ARN"',
    ]


def test_without_a_stack_nothing_runs(person):
    with pytest.raises(UserError) as raised:
        run(person.account, {})
    assert str(raised.value) == (
        "the stack fraud does not exist in us-east-1. Launch it with 'sagetree cloud launch "
        "--stack fraud --image URI', or name another one with --stack and --region"
    )
