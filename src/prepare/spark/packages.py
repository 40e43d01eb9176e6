"""What Spark's engine needs: packages beyond this program's own, and tables that hosts share."""

from importlib.util import find_spec

from sagetree.errors import SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.processing import check_one_host
from sagetree.prepare.settings import PrepareSettings


def require(option: str, *packages: str) -> None:
    """Raise SettingsError where packages of the extra `spark` are absent; `option` needs them."""
    absent = [name for name in packages if find_spec(name) is None]
    if absent:
        raise SettingsError(
            f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed here",
            where=option,
            hint="Install sagetree[spark], or run this in SageMaker's Spark processing container "
            "with sagetree added (docs/guide/spark.md)",
        )


def check_shared(opt_ml: OptMl, settings: PrepareSettings) -> None:
    """Raise SettingsError in a job of several hosts whose tables are not where all reach them."""
    if not settings.addresses:
        check_one_host(
            opt_ml,
            "the folders below /opt/ml are each host's own",
            "Name tables and --out by addresses that all hosts reach, such as s3://bucket/claims/",
        )
