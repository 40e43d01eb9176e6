import pytest

from bench.quality.field import meaning, ours, tuned, untuned

CODE = '''"""A peer."""


def scores(x):
    """Return them."""
    return x + 1
'''


@pytest.fixture
def told(tmp_path):
    def of(code):
        (tmp_path / "peer.py").write_text(code)
        return meaning(tmp_path / "peer.py")

    return of


def test_comments_docstrings_and_layout_change_nothing(told):
    assert told(CODE) == told("def scores( x ):\n  # a reason\n  return x+1\n")


@pytest.mark.parametrize(
    ("old", "new"), [("x + 1", "x + 2"), ("x + 1", "x - 1"), ("(x)", "(x=None)"), ("x + 1", "'x'")]
)
def test_code_changes_it(told, old, new):
    assert told(CODE) != told(CODE.replace(old, new))


def test_sagetree_is_its_source_and_no_peer_is():
    files = {path.name for path in ours().sources}
    assert {"job.py", "depths.py", "sagetree.py"} <= files
    for peer in [*untuned(), tuned()]:
        assert all(path.parent.name == "contenders" for path in peer.sources)


def test_a_peer_is_the_version_that_requirements_pin():
    assert [peer.versions[0].partition("==")[0] for peer in [*untuned(), tuned()]] == [
        "catboost", "lightgbm", "scikit-learn", "scikit-learn", "xgboost-cpu", "xgboost-cpu",
    ]  # fmt: skip
