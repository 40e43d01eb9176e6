"""Functions: the launch's image, ready, traced."""

from collections.abc import Iterator

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.commands.checks.finding import Finding, Launched


def check_functions(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare each function of the stack."""
    image = launched.stack.parameters["ImageUri"]
    for name in launched.of_type("AWS::Lambda::Function"):
        try:
            found = account.call("lambda", "get_function", FunctionName=name)
        except AbsentError:
            yield Finding(f"{name} is there", False, "launch the stack anew")
            continue
        command = f"aws lambda update-function-code --function-name {name} --image-uri {image}"
        running = found.get("Code", {}).get("ImageUri", "no image")
        yield Finding(
            f"{name} runs the image {image}", running == image, f"it runs {running}; '{command}'"
        )
        settings = found.get("Configuration", {})
        yield Finding(
            f"{name} is ready",
            settings.get("State", "Active") in ("Active", "Inactive"),  # asleep is ready, too
            settings.get("StateReason", "see it in the console, under Lambda"),
        )
        yield Finding(
            f"{name} is traced",
            settings.get("TracingConfig", {}).get("Mode") == "Active",
            f"'aws lambda update-function-configuration --function-name {name} "
            "--tracing-config Mode=Active'",
        )
