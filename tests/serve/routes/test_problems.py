from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from sagetree import errors
from sagetree.serve.models import registry
from sagetree.serve.routes.flask_app import problem_of_http
from sagetree.serve.routes.problems import logged_reason, problem_of


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def test_every_error_of_the_tree_has_its_own_status():
    found = {}
    for kind in subclasses(errors.SagetreeError) - {errors.SchemaError}:
        if kind.__module__ != errors.__name__:  # of one program, and tested there
            continue
        problem = problem_of(kind("m", where="w", hint="h"))
        assert problem.error in (kind.__name__, "InternalError")
        found[problem.error] = problem.status
    assert found == {
        "SagetreeError": 500,
        "InternalError": 500,
        "UserError": 400,
        "SettingsError": 400,
        "DataError": 400,
        "ArtifactError": 400,
        "RequestError": 400,
        "DecodingError": 400,
        "UnsupportedMediaTypeError": 415,
        "NotAcceptableError": 406,
        "PayloadTooLargeError": 413,
        "HeadTooLargeError": 431,
        "NotReadyError": 503,
    }


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_quoted_value_gets_into_the_log(one: str, other: str):
    quoted = f"of the model's {errors.quote(f'se{one}cret')} and {errors.quote(f'se{other}cret')}"
    for error in (
        errors.RequestError(quoted, where=f"input {errors.quote(f'se{other}cret')}"),
        errors.SchemaError([errors.Violation("secret", quoted)], hint=""),
        errors.SchemaError([errors.Violation("secret", quoted, 2, "line 3")], hint=""),
    ):
        reason = logged_reason(error, ())
        assert "se" not in reason
        assert "cret" not in reason


def test_the_words_of_others_are_not_logged():
    """A script's own error, and the names of models, are shown to the client alone."""
    error = registry.ModelNotFoundError("Model not found: secret", where="model_name")
    assert logged_reason(error, ()) == ""


def test_the_machines_errors_and_bugs_keep_their_inside():
    for error in (errors.PlatformError("disk /x is full"), KeyError("secret"), MemoryError()):
        assert problem_of(error).to_json("id") == (
            b'{"error":"InternalError","message":"the server failed","where":"",'
            b'"hint":"Its log has the reason under this request_id","request_id":"id"}'
        )


def test_http_errors_are_problems_too():
    assert problem_of_http(BadRequest("no"), {}).to_json("id") == (
        b'{"error":"BadRequest","message":"no","where":"","hint":"","request_id":"id"}'
    )
