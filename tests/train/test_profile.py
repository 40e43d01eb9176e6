"""`sagetree profile`: the page's numbers against pandas, what it refuses, and the terminal."""

import html
import json
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.train.profile import main

Profile = Callable[..., "Page"]

HOSTILE = '<script>alert("1")</script> & name'


class Page:
    """A profile that was written: its text, tables by section, and what the terminal says."""

    def __init__(self, path: Path, log: str) -> None:
        self.source, self.log = path.read_text(encoding="utf-8"), log

    def section(self, name: str) -> str:
        return self.source.split(f'<section id="{name}"')[1].split("</section>")[0]

    def rows(self, section: str) -> dict[str, list[str]]:
        """The rows of a section's tables by their first cell, a chart's title before it."""
        found: dict[str, list[str]] = {}
        for part in re.split(r"<figcaption>", self.section(section)):
            title = part.split("</figcaption>")[0] if "</figcaption>" in part else ""
            for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", part):
                first, *cells = (html.unescape(c) for c in re.split(r"</t[hd]>(?:<td>)?", row))
                found[f"{html.unescape(title)}: {first}" if title else first] = cells[:-1]
        return found


@pytest.fixture
def profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Profile:
    monkeypatch.chdir(tmp_path)

    def run(content: str | pd.DataFrame, *options: str) -> Page:
        text = content if isinstance(content, str) else content.to_csv(index=False)
        Path("table.csv").write_text(text, encoding="utf-8")
        assert main(["table.csv", *options]) == 0
        return Page(Path("profile.html"), capsys.readouterr().out)

    return run


def table(rows: int = 240) -> pd.DataFrame:
    random = np.random.default_rng(2)
    x = random.normal(size=rows).round(3)
    frame = pd.DataFrame(
        {
            "y": (x + random.normal(size=rows) > 0.8).astype(int),
            "x": x,
            "money": np.where(random.random(rows) < 0.2, np.nan, np.exp(2 * x).round(2)),
            HOSTILE: random.choice(["<b>bold</b>", "plain", "None"], rows, p=[0.5, 0.3, 0.2]),
            "day": pd.to_datetime("2024-01-31")
            + pd.to_timedelta(random.integers(0, 90, rows), "D"),
            "key": [f"k{n}" for n in range(rows)],
            "same": "one",
            "answer": 0,
        }
    )
    frame["answer"] = frame.y * 10 + 3
    return pd.concat([frame, frame[:7].assign(key=[f"z{n}" for n in range(7)])])


def test_every_number_of_a_labelled_page_is_pandas(profile: Profile) -> None:
    frame = table()
    page = profile(frame, "--target", "y")
    columns = page.rows("columns")
    for name in frame.columns.drop("y"):
        missing, distinct = f"{frame[name].isna().mean():.2%}", str(frame[name].nunique())
        assert columns[name][1:3] == [missing, distinct]
    kinds = {name: cells[0] for name, cells in columns.items()}
    assert kinds == {
        "x": "number", "money": "number", HOSTILE: "category", "day": "datetime",
        "key": "identifier", "same": "constant", "answer": "number",
    }  # fmt: skip
    assert (
        columns["key"][3] == "left out: it only identifies rows (247 different values in 247 rows)"
    )
    numbers = page.rows("numbers")
    for name in ("x", "money"):
        values = frame[name]
        told = [*values.quantile([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]), values.mean(), values.std()]
        assert [float(cell) for cell in numbers[name][:9]] == pytest.approx(told, rel=1e-5)
        low, high = values.quantile([0.25, 0.75])
        far = 3 * (high - low)
        assert numbers[name][9] == str(((values < low - far) | (values > high + far)).sum())
    assert [numbers["day"][n] for n in (0, 6)] == [
        str(frame.day.min().date()),
        str(frame.day.max().date()),
    ]
    with_label = page.rows("label")
    for name in ("x", "money", "answer"):
        measure, value, spearman, rows = with_label[name]
        assert (measure, rows) == ("Pearson's r", str(frame[name].notna().sum()))
        assert value == f"{frame[name].corr(frame.y):+.3f}"
        assert spearman == f"{frame[name].corr(frame.y, method='spearman'):+.3f}"
    spread = page.rows("spread")
    for value, count in frame[HOSTILE].value_counts().items():
        positive = frame.y[frame[HOSTILE] == value].mean()
        shares = [f"{count / len(frame):.2%}", f"{1 - positive:.2%}", f"{positive:.2%}"]
        assert spread[f"{HOSTILE}: {value}"] == [str(count), *shares]
    lacking = frame.money.isna()
    by_label = [f"{lacking[frame.y == label].mean():.2%}" for label in (0, 1)]
    missing = page.rows("missing")["Missing cells: money"]
    assert missing == [str(lacking.sum()), f"{lacking.mean():.2%}", *by_label]
    assert f"y = 1</dt><dd>{frame.y.mean():.2%}</dd><dd>{frame.y.sum()} rows" in page.source


def test_what_stands_out_is_on_the_page_and_on_the_terminal(profile: Profile) -> None:
    frame = table()
    clash = frame[20:23].assign(
        y=1 - frame.y[20:23], answer=frame.answer[20:23], key=["a", "b", "c"]
    )
    page = profile(pd.concat([frame, clash]), "--target", "y")
    for sentence in (
        "duplicates: 10 of 250 rows are equal to an earlier one in all columns that are learnt "
        "from",
        "contradiction: 6 rows are equal to a row of another label in all columns that are learnt "
        "from: no model can tell them apart",
        "left out: column 'key': it only identifies rows (250 different values in 250 rows)",
        "left out: column 'same': it has the same value everywhere",
    ):
        assert sentence in page.log.splitlines()
        word, _, text = sentence.partition(": ")
        assert f"{word}</th><td>{html.escape(text)}</td>" in page.source
    leaking = profile(frame, "--target", "y")
    assert (
        "leakage?: column 'answer' alone predicts the label (AUC 1.000): list it in drop_columns, "
        "unless it is known before the label is\n"
    ) in leaking.log
    assert leaking.log.endswith(
        "\nprofile  profile.html\nTo train on it:  sagetree train table.csv --target y\n"
    )
    first = (
        "247 rows, label y; 7 columns: 3 number, 1 category, 1 datetime, 1 identifier, 1 constant"
    )
    assert first in leaking.log.splitlines()


def test_without_a_target_named_columns_are_shown_without_a_label(profile: Profile) -> None:
    page = profile(table())
    assert 'id="label"' not in page.source
    assert page.rows("spread")["y: 1"] == [str(table().y.sum()), f"{table().y.mean():.2%}"]
    assert "No label is named: with --target COLUMN the page shows" in page.log
    assert page.log.endswith("sagetree train table.csv --target COLUMN\n")
    assert "contradiction" not in page.source


@pytest.mark.parametrize(
    ("target", "groups"),
    [
        ("x", ["x to -0.5805", "x between", "x from 0.575"]),
        ("kind", ["kind = a", "kind = b", "kind = c"]),
    ],
)
def test_labels_of_numbers_and_classes_make_groups(
    target: str, groups: list[str], profile: Profile
) -> None:
    frame = (
        table()
        .assign(kind=lambda f: np.digitize(f.x, [-1, 1]))
        .replace({"kind": dict(enumerate("abc"))})
    )
    if target == "x":
        low, high = frame.x.quantile([0.25, 0.75])
        groups = [f"x to {low:.4g}", "x between", f"x from {high:.4g}"]
    page = profile(frame, "--target", target)
    heads = re.findall(r'<th scope="col">([^<]*)</th>', page.section("missing"))
    assert heads[-3:] == groups


def test_nothing_of_the_table_is_markup_and_nothing_is_fetched(profile: Profile) -> None:
    page = profile(table(), "--target", "y")
    assert "<script" not in page.source
    assert "<b>bold" not in page.source
    assert html.escape(HOSTILE) in page.source
    assert not re.search(r"""(src|href)=["'](?!#)|url\((?!#)|@import|https?://""", page.source)


def test_a_column_at_which_training_would_end_is_told_and_the_others_are_shown(
    profile: Profile,
) -> None:
    lines = [f"{n % 2},{n}.5,{n % 7}" for n in range(60)]
    lines[40] = "1,0.5,4;"
    page = profile("y,x,slip\n" + "\n".join(lines), "--target", "y")
    error = (
        "table.csv line 42, column 'slip': '4;' is text where a number is expected. Correct the "
        "cell, list the text in missing_values if it means no value, or list the column in "
        "categorical_columns"
    )
    assert f"training would end: {error}\n" in page.log
    assert page.rows("columns")["slip"] == ["refused", "0.00%", "0", error]
    assert "x" in page.rows("numbers")
    listed = profile("y,x,slip\n" + "\n".join(lines), "--target", "y", "--set", "missing_values=4;")
    assert listed.rows("columns")["slip"][0] == "number"
    assert listed.log.endswith("--target y --set 'missing_values=4;'\n")


def test_files_without_names_have_their_label_first(profile: Profile) -> None:
    lines = "\n".join(f"{n % 2},{n * 7 % 11}.5" for n in range(60))
    page = profile(lines + "\n")
    assert "60 rows, label label; 1 columns: 1 number\n" in page.log
    assert page.log.endswith("To train on it:  sagetree train table.csv\n")
    alike = profile("\n".join(f"5,{n * 7 % 11}.5" for n in range(60)))
    said = (
        "The first column cannot be the label: the label is '5' in every row; two values are needed"
    )
    assert f"{said}\n" in alike.log
    assert said.replace("'", "&#x27;") in alike.source


@pytest.mark.long
def test_a_wide_table_shows_what_goes_with_the_label_and_lists_the_rest(profile: Profile) -> None:
    random = np.random.default_rng(4)
    noise = random.normal(size=(150, 60)).round(2)
    frame = pd.DataFrame(noise, columns=[f"n{n:02}" for n in range(60)])
    frame["y"] = (frame.n55 > 0).astype(int)
    page = profile(frame, "--target", "y")
    shown = page.rows("columns")
    assert len(shown) == 40
    assert "n55" in shown
    assert (
        "40 columns are shown, those that go with the label most; 20 are not: 20 number."
        in page.source
    )
    names = re.search(r"Not shown: (.*?)\.", page.source)
    assert names
    assert {*names[1].split(", ")} | {*shown} == {*frame.columns.drop("y")}
    assert [*profile(frame).rows("columns")] == [f"n{n:02}" for n in range(40)]


@pytest.mark.parametrize("rows", ["0,x\n1,x\n" * 9, "0,\n1,\n" * 9])
def test_where_nothing_is_left_to_learn_from_it_says_so(rows: str, profile: Profile) -> None:
    page = profile(f"y,x\n{rows}", "--target", "y")
    assert "training would end: there are no columns left to learn from\n" in page.log


def test_dates_nested_cells_and_codes_of_parquet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [date(2024, 1, 1 + n % 28) if n % 3 else None for n in range(40)]
    columns = {"y": [n % 2 for n in range(40)], "day": days, "list": [[1]] * 40}
    coded = pa.array(["a", "b"] * 20).dictionary_encode()
    pq.write_table(pa.table({**columns, "code": coded}), tmp_path / "t.parquet")
    out = tmp_path / "p.html"
    assert main([str(tmp_path / "t.parquet"), "--target", "y", "--out", str(out)]) == 0
    page = Page(out, capsys.readouterr().out)
    columns_told = page.rows("columns")
    assert columns_told["day"][:3] == ["datetime", "35.00%", str(len({*days} - {None}))]
    assert page.rows("numbers")["day"][0] == "2024-01-01"
    assert columns_told["list"][0] == "refused"
    refused = "column 'list': its cells are of type list<element: int64>. Write it as numbers, text"
    assert f"training would end: {refused} or dates, or list it in drop_columns\n" in page.log
    assert page.rows("spread")["code: a"][0] == "20"


@pytest.mark.long
def test_the_page_of_a_very_wide_table_has_two_megabytes_at_most(profile: Profile) -> None:
    random = np.random.default_rng(6)
    names = [f"{n}{'<&' * 60}" for n in range(3000)]
    words = np.array([f"{n}{'&' * 100}" for n in range(12)])
    frame = pd.DataFrame(words[random.integers(0, 12, (40, 3000))], columns=names)
    page = profile(frame.assign(y=np.arange(40) % 4), "--target", "y", "--set", "num_class=4",
                   "--set", "objective=multi:softprob")  # fmt: skip
    assert len(page.source.encode()) < 2 * 2**20
    assert "and 1960 more" in page.source


def test_several_files_are_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(f"a,b\n{number},x\n3,y\n")
    out = tmp_path / "page.html"
    files = [str(tmp_path / f"{number}.csv") for number in (1, 2)]
    assert main([*files, "--out", str(out)]) == 0
    assert "<h1>What is in 1.csv and 1 more files</h1>" in out.read_text()
    assert capsys.readouterr().out.startswith("4 rows; 2 columns: ")


def test_of_very_many_rows_some_say_how_columns_go_together(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagetree.train.profiling.facts.SAMPLED_ROWS", 100)
    page = profile(table(), "--target", "y")
    assert (
        "measured on 100 rows, drawn evenly from 247; all other numbers are of all rows"
        in page.source
    )
    assert page.rows("label")["x"][3] == "100"
    assert page.rows("numbers")["x"][0] == f"{table().x.min():.6g}"


def test_facets_have_their_part_and_clarifys_file(profile: Profile) -> None:
    frame = table().assign(sex=np.random.default_rng(1).choice(["f", "m"], 247))
    Path("f.json").write_text(
        '[{"column": "sex", "values": ["f"]}, {"column": "x", "threshold": 0}]'
    )
    page = profile(frame, "--target", "y", "--facets", "f.json", "--favourable", "1")
    found = json.loads(Path("bias_analysis.json").read_text())
    assert [*found] == ["version", "pre_training_bias_metrics"]
    (facet,) = found["pre_training_bias_metrics"]["facets"]["sex"]
    values = {metric["name"]: metric["value"] for metric in facet["metrics"]}
    woman, good = frame.sex == "f", frame.y == 1
    assert values["DPL"] == pytest.approx(good[~woman].mean() - good[woman].mean())
    cells = page.rows("bias")
    assert f'<th scope="row">DPL</th><td>{values["DPL"]:.4g}</td>' in page.section("bias")
    assert cells["sex = f"][:3] == [
        str(woman.sum()), f"{good[woman].mean():.1%}", f"{good[~woman].mean():.1%}",
    ]  # fmt: skip
    assert "bias     bias_analysis.json\n" in page.log
    assert (
        f"\nsex = f ({woman.sum()} of 247 rows): y = 1 in {good[woman].mean():.1%}, in " in page.log
    )


def test_facets_may_come_through_a_pipe(profile: Profile) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'[{"column": "x", "threshold": 0}]')
    os.close(writing)
    page = profile(table(), "--target", "y", "--facets", f"/dev/fd/{reading}")
    os.close(reading)
    assert "x > 0" in page.rows("bias")


def test_without_facets_there_is_no_word_of_them(profile: Profile) -> None:
    page = profile(table(), "--target", "y")
    assert 'id="bias"' not in page.source
    assert not Path("bias_analysis.json").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["table.csv", "--facets", "f.json"],
            "facets: facets are compared by a label, and --target is not set. Name it with "
            "--target "
            "COLUMN",
        ),
        (
            ["table.csv", "--target", "y", "--facets", "bias_analysis.json"],
            "--facets bias_analysis.json: what is measured of facets is written to "
            "'bias_analysis.json', and would replace it. Give the file another name",
        ),
        (
            ["table.csv", "--target", "y", "--favourable", "1"],
            "favourable is set and facets is not: set facets, or leave favourable out. Correct it",
        ),
        (
            ["tabel.csv"],
            "DATA tabel.csv: the file or folder does not exist (did you mean 'table.csv'?). "
            "Correct the name; it is relative to the current folder",
        ),
        (
            ["table.csv", "--target", "z"],
            "target is 'z', which is not a column. The columns are 'y', 'x'",
        ),
        (["head.csv"], "head.csv: there are no rows. Put rows below the header"),
        (
            ["table.csv", "--out", "folder"],
            "--out folder: it is a folder. Name a file",
        ),
        (
            ["table.csv", "--out", "./table.csv"],
            "--out table.csv: it is 'table.csv', whose rows the page would replace. Name another "
            "file",
        ),
        (
            ["."],
            "DATA .: what the job writes to profile.html would be read as rows of this folder. "
            "Name the files in it, or a folder outside it with --out",
        ),
        (
            ["table.csv", "--out", "no/page.html"],
            "--out no/page.html: the folder 'no' does not exist. Create it, or name a file in "
            "another folder",
        ),
        (
            ["table.csv", "--out", "/dev/full"],
            "--out /dev/full: it cannot be written: No space left on device. Name a file in a "
            "folder of yours\n\nCause: [Errno 28] No space left on device",
        ),
        (
            ["table.csv", "--target", "y", "--set", "target=x"],
            "--target: it is 'y', and --set names 'x'. Leave one of them out",
        ),
    ],
)
def test_it_says_what_is_wrong(
    arguments: list[str],
    error: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    before = "y,x\n" + "".join(f"{n % 2},{n}\n" for n in range(30))
    Path("table.csv").write_text(before)
    Path("head.csv").write_text("y,x\n")
    for name in ("f.json", "bias_analysis.json"):
        Path(name).write_text('[{"column": "x", "threshold": 3}]')
    assert main(arguments) == 1
    assert capsys.readouterr().out.endswith(f"FAILED: {error}\n")
    assert Path("table.csv").read_text() == before
    assert not Path("profile.html").exists()
