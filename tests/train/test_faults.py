"""What a user can get wrong, and the whole text of the failure file for it."""

import pytest

from tests.train.conftest import Job, lines

GOOD = lines()
COLUMNS = "'fraud', 'amount', 'kind', 'state'"


SETTINGS = [
    (
        {"max_dept": 3},
        "'max_dept' is not a hyperparameter (did you mean 'max_depth'?). Correct it",
    ),
    (
        {"eta": 7, "max_depth": "deep", "zzz": 1, "encoding": "hash"},
        "eta is '7' and must be a number from 0 to 1; "
        "max_depth is 'deep' and must be a whole number from 0; "
        "'zzz' is not a hyperparameter; "
        "encoding is 'hash' and must be one of native, onehot, target. Correct all 4",
    ),
    (
        {"eta": 0.1, "learning_rate": 0.2},
        "eta and learning_rate are the same hyperparameter. Correct it",
    ),
    ({"subsample": 0}, "subsample is '0' and must be a number above 0 to 1. Correct it"),
    ({"nfold": 1}, "nfold is '1' and must be a whole number from 2. Correct it"),
    ({"num_round": 2.5}, "num_round is '2.5' and must be a whole number from 1. Correct it"),
    ({"lambda": "nan"}, "lambda is 'nan' and must be a number from 0. Correct it"),
    ({"header": "maybe"}, "header is 'maybe' and must be true or false. Correct it"),
    (
        {"tree_method": "fast"},
        "tree_method is 'fast' and must be one of auto, exact, approx, hist, gpu_hist. Correct it",
    ),
    (
        {"header": "perhaps"},
        "header is 'perhaps' and must be true or false. Correct it",
    ),
    (
        {"ordinal_columns": "[1]"},
        "ordinal_columns is '[1]' and must be a JSON object: column -> ordered list, "
        '{"size": ["S", "M"]}. Correct it',
    ),
    (
        {"monotone_constraints": '__import__("os").system("true")'},
        'monotone_constraints is \'__import__("os").system("true")\' '
        'and must be -1, 0 or 1 for each column, such as {"amount": 1}, or in their order '
        "(1,0,-1). Correct it",
    ),
    (
        {"drop_columns": "kind", "categorical_columns": "kind"},
        "column 'kind' is in drop_columns and in categorical_columns. Correct it",
    ),
    (
        {"drop_columns": "fraud", "target": "fraud"},
        "column 'fraud' is the target and in drop_columns. Correct it",
    ),
    (
        {"drop_columns": "stat,colour"},
        "drop_columns, categorical_columns, ordinal_columns, column_types: columns "
        "'stat' (did you mean 'state'?), 'colour' are missing from the data. "
        "The columns are 'amount', 'kind', 'state'",
    ),
    (
        {"target": "frau"},
        "target is 'frau', which is not a column (did you mean 'fraud'?). "
        f"The columns are {COLUMNS}",
    ),
    (
        {"positive_label": "yes"},
        "positive_label is 'yes', but column 'fraud' holds '0' and '1'. Use one of the two",
    ),
    (
        {"target": "amount", "objective": "binary:logistic"},
        "data.csv line 4, column 'amount': the label has 118 values ('-2.936', '-2.365', "
        "'-2.250', ...), and two "
        "are needed. Name the label column with target; it is 'amount' now",
    ),
    (
        {"nfold": 50},
        "channel train: the rarer label has 40 rows, too few for 50 folds. "
        "Add rows of it, lower nfold, or give a validation channel",
    ),
    (
        {"monotone_constraints": "(1,0,0,0)"},
        "monotone_constraints has 4 values, and the numbers of columns end at 2. "
        "The columns are 0 'amount', 1 'kind', 2 'state'; or name them",
    ),
    (
        {"tree_method": "exact", "encoding": "native"},
        "XGBoost refuses the training: Updater `grow_colmaker` or `exact` tree method doesn't "
        "support categorical features. Change the hyperparameter that it names",
    ),
    (
        {"ordinal_columns": '{"kind": ["a", "b"]}'},
        "column 'kind': 'N/A' is not one of 'a', 'b', which the column was declared to be. "
        "Correct the cell, or the column's declaration",
    ),
    (
        {"column_types": '{"kind": "number"}'},
        "is not a number, which the column was declared to be. "
        "Correct the cell, or the column's declaration",
    ),
    (
        {"drop_columns": "amount,kind,state"},
        "data.csv line 2: there are no columns left to learn from. "
        "All are dropped, constant or identifiers: set column_types to keep some",
    ),
]


@pytest.mark.parametrize(("settings", "text"), SETTINGS, ids=[str(s[0])[:40] for s in SETTINGS])
def test_settings(job: Job, settings: dict[str, object], text: str) -> None:
    ran = job({"train": GOOD}, settings)
    assert ran.code == 1
    first_line = ran.failure.splitlines()[0]
    assert text in first_line
    if text.startswith(("'", "eta", "the", "target", "positive")):
        assert first_line == text
    assert len(first_line) < 1024
    assert not list(ran.opt_ml.model.rglob("*"))


def table(*rows: str, header: str = "y,n,c") -> str:
    good = [f"{i % 2},{i % 7},{'ab'[i % 2]}" for i in range(40)]
    return "\n".join([header, *good, *rows]) + "\n"


CHANNELS: list[tuple[str, dict[str, object], str]] = [
    ("text among numbers", {"train": table("1,seven,a", *["0,1,b"] * 20)},
     "data.csv line 42, column 'n': 'seven' is text where a number is expected. Correct the cell, "
     "list the text in missing_values if it means no value, or list the column in "
     "categorical_columns"),
    ("a word among the labels", {"train": table("y,0,c", "1,2,a")},
     "data.csv line 42, column 'y': the label has 3 values ('0', '1', 'y'), and two are needed. "
     "Name the label column with target; it is 'y' now. Or set objective: multi:softprob for "
     "classes, reg:squarederror for numbers, or another one"),
    ("a ragged line", {"train": table("1,2")},
     "data.csv line 42: the line has 2 cells, and the first line has 3. "
     "Give every line the same number of cells; quote a cell that holds a comma"),
    ("an unclosed quote", {"train": table('1,2,"a')},
     "data.csv line 42: the line is not CSV: unexpected end of data. "
     'Close every quote; write a quote inside a quoted cell twice ("")'),
    ("two columns of one name", {"train": table(header="y,n,n")},
     "data.csv line 1: two columns are called 'n'. Give every column its own name"),
    ("an empty file", {"train": ""},
     "data.csv line 1: there are no rows. Send at least one line of comma-separated values"),
    ("only a header", {"train": "y,n,c\n"},
     "{root}/input/data/train: there are no rows. Put rows below the header"),
    ("an empty folder", {"train": {".hidden": "x"}},
     "{root}/input/data/train: the folder holds no data file. Put CSV or Parquet there"),
    ("a gzip file", {"train": {"a.csv": b"\x1f\x8b\x08\x00"}},
     "a.csv: this is a gzip file. Let its name end in .gz if it holds data"),
    ("a pickle", {"train": {"a.csv": b"\x80\x04\x95"}},
     "a.csv: this is a Python pickle. "
     "Put CSV (UTF-8), Parquet, JSON Lines, libsvm or recordio-protobuf files there"),
    ("not UTF-8", {"train": {"a.csv": table("1,2,b").encode() + b"0,1,\xff\n"}},
     "a.csv line 43: the text is not UTF-8. Save the file as UTF-8, such as with: "
     "iconv -f windows-1252 -t utf-8 FILE"),
    ("a cut Parquet file", {"train": {"a.parquet": b"PAR1\x15\x04"}},
     "a.parquet: the Parquet file is damaged: "),
    ("an empty label", {"train": table(",1,a")},
     "data.csv line 42, column 'y': the label is empty. Leave out the rows without a label. "
     "Every label must be '0' or '1'"),
    ("one label", {"train": "y,n\n1,2\n1,3\n"},
     "column 'y': the label is '1' in every row; two values are needed. "
     "Name the label column with target; it is 'y' now"),
    ("a label and nothing else", {"train": "y\n0\n1\n0\n1\n"},
     "data.csv line 2: the label is the only column. Put features beside it"),
    ("one header for two files", {"train": {"a.csv": table(), "b.csv": "1,2,a\n0,1,b\n"}},
     "only a.csv has a header, of b.csv and a.csv. "
     "Give every file a header, or none of them; or set header=true or header=false"),
    ("different columns", {"train": {"a.csv": table(), "b.csv": table(header="y,n,d")}},
     "column 'c' is only in a.csv, of b.csv and a.csv. "
     "All files of a channel need the same columns"),
    ("an unseen label in validation", {"train": table(), "validation": table("2,1,a")},
     "channel validation, data.csv line 42, column 'y': the label is '2'. "
     "Every label must be '0' or '1'"),
    ("one label in validation", {"train": table(), "validation": "y,n,c\n1,2,a\n"},
     "channel validation: the label is '1' in every row. "
     "The channel needs rows of both kinds; split with stratification"),
    ("a column fewer in validation", {"train": table(), "validation": "y,n\n1,2\n0,1\n"},
     "channel validation, data.csv: column 'c' is missing. The model needs n, c"),
    ("no header in validation", {"train": table(), "validation": "1,2,a\n0,1,b\n"},
     "only train has a header, of train and validation. "
     "Give the files of both channels a header, or none; or set header"),
    ("text in validation", {"train": table(), "validation": table("1,x,a")},
     "channel validation, data.csv line 42, column 'n': 'x' is text where a number is expected. "
     "Correct the cell, or leave it empty if the value is missing"),
    ("infinity", {"train": table("1,inf,a")},
     "data.csv line 42, column 'n': 'inf' is infinite or too large for float32. Correct the cell, "
     "list the text in missing_values if it means no value, or list the column in "
     "categorical_columns"),
]  # fmt: skip


@pytest.mark.parametrize(("channels", "text"), [c[1:] for c in CHANNELS],
                         ids=[c[0] for c in CHANNELS])  # fmt: skip
def test_channels(job: Job, channels: dict[str, object], text: str) -> None:
    ran = job(channels)
    assert ran.code == 1
    first_line = ran.failure.splitlines()[0]
    expected = text.format(root=ran.opt_ml.root)
    assert first_line == expected or (expected[-1] in " )" and first_line.startswith(expected))
    assert not list(ran.opt_ml.model.rglob("*"))


def test_keys_in_both_channels_are_refused(job: Job) -> None:
    rows = [f"{i},{i % 2},{i % 7}" for i in range(60)]
    header = "policy_id,y,n"
    channels = {
        "train": "\n".join([header, *rows[:40]]),
        "validation": "\n".join([header, *rows[35:]]),
    }
    ran = job(channels, {"target": "y"})
    assert ran.failure == (
        "column 'policy_id': 5 keys are both in train and in validation, such as '35'. "
        "Split by key (sagetree prepare does), or list the column in drop_columns "
        "if it only numbers the rows\n"
    )
    assert job({}, {"target": "y", "drop_columns": "policy_id"}).code == 0


def test_a_declared_category_without_any_value(job: Job) -> None:
    rows = "\n".join(["y,c", *(f"{i % 2}," for i in range(40))])
    ran = job({"train": rows}, {"categorical_columns": "c", "encoding": "onehot"})
    assert ran.failure == (
        "data.csv line 2: there are no columns left to learn from. "
        "All are dropped, constant or identifiers: set column_types to keep some\n"
    )


def test_index_columns_may_repeat(job: Job) -> None:
    rows = [f"{i},{i % 2},{i % 7}" for i in range(60)]
    text = "\n".join([",y,n", *rows])
    assert job({"train": text, "validation": text}, {"target": "y"}).code == 0


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"train": {"TrainingInputMode": "Pipe"}},
            "channel 'train' is in Pipe mode: use File or FastFile. Correct it",
        ),
        (
            {"train": {"ContentType": "image/png"}},
            "channel 'train' has the ContentType 'image/png': "
            "take one of text/csv, application/x-parquet, application/jsonlines, "
            "text/libsvm, application/x-recordio-protobuf. Correct it",
        ),
        (
            {"training": {}},
            "channel 'train' is missing from inputdataconfig.json (channels: 'training'): "
            "give that name to the channel with the rows to learn from. Correct it",
        ),
        (
            {"train": {"ContentType": "application/x-parquet"}},
            "data.csv: this is not a Parquet file. Its channel's ContentType promises parquet: "
            "correct one or the other",
        ),
    ],
)
def test_channel_configurations(job: Job, config: object, text: str) -> None:
    assert job({"train": GOOD}, config=config).failure == text + "\n"


def test_config_files_that_are_no_json(job: Job) -> None:
    job({"train": GOOD}, config=[])
    ran = job({}, config=[])
    assert ran.failure == "inputdataconfig.json: it does not hold a JSON object. Write an object\n"


def test_folds_without_a_class(job: Job) -> None:
    rows = [f"{int(i in (1, 2))},{i % 7}" for i in range(60)]
    settings = {"stratified": "false", "nfold": 2, "seed": 3}
    failures = {job({"train": "\n".join(["y,n", *rows])}, settings | {"seed": s}).code
                for s in range(6)}  # fmt: skip
    assert failures == {0, 1}
