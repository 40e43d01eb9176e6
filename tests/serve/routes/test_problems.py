from werkzeug.exceptions import BadRequest

from sagetree import errors
from sagetree.serve.routes.flask_app import problem_of_http
from sagetree.serve.routes.problems import problem_of


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
