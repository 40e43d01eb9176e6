"""Header lines of channels: never learned as rows, and what a job says about those in doubt."""

import pytest

from tests.train.conftest import Job

BELOW = "cat,1,5\ndog,9,4\nfox,5,7\n" * 10
YEARS = "species,2019,2020\n"
SOFTPROB = {"objective": "multi:softprob", "preset": "xgboost"}
DOUBT = (
    "train: line 1 (species, 2019, 2020) is taken for the header: its words and numbers are not "
    "like those below them. If it is not, set header=true or header=false\n"
)


def test_years_over_numbers_are_names(job: Job) -> None:
    ran = job({"train": YEARS + BELOW}, SOFTPROB)
    assert ran.code == 0, ran.log
    assert "30 rows; label species: 'cat' 33.33%, 'dog' 33.33%, 'fox' 33.33%" in ran.log
    assert ran.log.count(DOUBT) == 1
    assert ran.model.schema.all_names == ("2019", "2020")
    # pandas.read_csv has the same 30 rows and three names


@pytest.mark.parametrize(
    "settings",
    [
        {"target": "species"},
        {"drop_columns": "2019"},
        {"column_types": '{"2020": "number"}'},
        {"weight_column": "2020"},
    ],
)
def test_a_name_in_a_setting_is_found_in_line_1(job: Job, settings: dict[str, str]) -> None:
    ran = job({"train": YEARS + BELOW}, SOFTPROB | settings)
    assert ran.code == 0, ran.log
    assert "30 rows; label species" in ran.log
    assert "is taken for" not in ran.log


def test_the_first_row_of_a_file_without_names_may_be_named_by_target(job: Job) -> None:
    rows = "lynx,1,5\n" + BELOW
    ran = job({"train": rows, "validation": rows}, SOFTPROB)
    assert "31 rows; label label" in ran.log
    said = "line 1 (lynx, 1, 5) is taken for a row of data: 'lynx' is in no other row. "
    for channel in ("train", "validation"):
        assert f"{channel}: {said}If it is not, set header=true or header=false\n" in ran.log


def test_pandas_numbers_of_columns_are_names(job: Job) -> None:
    below = "".join(f"{i % 2},{i % 2 + i / 100},{i % 7}\n" for i in range(40))
    ran = job({"train": f"0,1,2\n{below}"}, {"preset": "xgboost"})
    assert "40 rows; label 0: 20 are '1' (50.00%), the rest '0'" in ran.log
    assert ran.model.schema.all_names == ("1", "2")


@pytest.mark.parametrize(("header", "rows"), [("true", 30), ("false", 31)])
def test_the_setting_says_what_line_1_is(job: Job, header: str, rows: int) -> None:
    ran = job({"train": YEARS + BELOW}, SOFTPROB | {"header": header})
    assert f"{rows} rows; label" in ran.log
    assert "is taken for" not in ran.log


def test_a_header_in_the_middle_is_no_class(job: Job) -> None:
    text = "species,a,b\n" + BELOW
    ran = job({"train": text + text, "validation": text}, SOFTPROB)
    assert "60 rows; label species: 'cat' 33.33%, 'dog' 33.33%, 'fox' 33.33%" in ran.log
    assert "train: 1 line among the rows repeated the header: skipped\n" in ran.log
    assert "validation: 1 line" not in ran.log


def test_validation_knows_the_names_of_training(job: Job) -> None:
    below = "cat,2020,2019\ndog,2019,2020\n" * 10
    ran = job({"train": YEARS + BELOW, "validation": YEARS + below}, SOFTPROB)
    assert ran.code == 0, ran.log
    assert "validation: line 1" not in ran.log
