"""Prometheus's own tool reads /metrics and finds nothing to say of it."""

import pytest

from tests.clients.conftest import Served
from tests.clients.running import said
from tests.needs import needs_promtool

pytestmark = pytest.mark.long


@needs_promtool
def test_promtool_has_nothing_to_say_of_the_metrics(served: Served):
    lines = "\n".join(served.lines).encode()
    assert served.server.post(lines).status == 200
    assert served.server.post(b"1,2\n").status in (400, 422)
    metrics = served.server.get("/metrics")
    assert b"_total" in metrics.body
    assert said("promtool", "check", "metrics", stdin=metrics.body) == ""
