"""The example's data: what the generator's docstring and --help say is true of the files."""

import csv
import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from local_test import generate
from local_test.generate import ceiling, main
from local_test.policies import BASE_LOG_ODDS, EFFECTS, Level

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "local_test.generate"]
PREFIX = "python -m local_test.generate: "
CLAIMS = (
    "policy_id,driver_relationship,incident_type,collision_type,incident_severity,"
    "authorities_contacted,num_vehicles_involved,num_injuries,num_witnesses,"
    "police_report_available,injury_claim,vehicle_claim,total_claim_amount,incident_month,"
    "incident_day,incident_dow,incident_hour,fraud"
)
CUSTOMERS = (
    "policy_id,customer_age,months_as_customer,num_claims_past_year,num_insurers_past_5_years,"
    "policy_state,policy_deductable,policy_annual_premium,policy_liability,customer_zip,"
    "customer_gender,customer_education,auto_year"
)
POLICIES = 20_000
# Of the workshop's 5000 policies (its columns' value counts).
WORKSHOP_COUNTS = {
    "driver_relationship": {"Self": 3418, "N/A": 728, "Spouse": 428, "Child": 226, "Other": 200},
    "incident_type": {"Collision": 4272, "Break-in": 484, "Theft": 244},
    "collision_type": {"Front": 2109, "Rear": 1105, "Side": 1058, "N/A": 728},
    "incident_severity": {"Minor": 2100, "Major": 1698, "Totaled": 1202},
    "authorities_contacted": {"Police": 3509, "None": 1210, "Ambulance": 146, "Fire": 135},
    "num_vehicles_involved": {1: 1216, 2: 2308, 3: 1212, 4: 241, 5: 22, 6: 1},
    "num_injuries": {0: 3371, 1: 998, 2: 253, 3: 207, 4: 171},
    "num_witnesses": {0: 2606, 1: 1112, 2: 812, 3: 328, 4: 107, 5: 35},
    "police_report_available": {"No": 2892, "Yes": 2108},
    "num_claims_past_year": {0: 4665, 1: 268, 2: 43, 3: 17, 4: 3, 5: 2, 6: 2},
    "num_insurers_past_5_years": {1: 3860, 2: 562, 3: 309, 4: 186, 5: 83},
    "policy_state": {"CA": 3134, "WA": 607, "AZ": 539, "OR": 363, "NV": 222, "ID": 135},
    "policy_deductable": {750: 4950, 800: 28, 850: 9, 900: 3, 950: 5, 1000: 1, 1050: 2, 1100: 2},
    "policy_liability": {"25/50": 1697, "15/30": 1631, "30/60": 1137, "100/200": 535},
    "customer_gender": {"Male": 2281, "Female": 2208, "Unkown": 420, "Other": 91},
    "customer_education": {
        "Bachelor": 2211,
        "High School": 1264,
        "Advanced Degree": 952,
        "Associate": 475,
        "Below High School": 98,
    },
    "incident_dow": {0: 847, 1: 868, 2: 754, 3: 758, 4: 802, 5: 469, 6: 502},
}
# Of the same: least and largest value, and the 5 %, 25 %, 50 %, 75 % and 95 % quantiles.
WORKSHOP_SPREADS = {
    "injury_claim": (300, None, (2800, 7400, 14600, 28000, 76810)),
    "vehicle_claim": (1000, None, (4439, 10175, 14865, 21762, 38202)),
    "total_claim_amount": (1300, None, (12653, 22335, 33080, 48960, 97635)),
    "customer_age": (18, 70, (22, 33, 44, 54, 66)),
    "months_as_customer": (1, 636, (10, 44, 85, 136, 233)),
    "policy_annual_premium": (2200, 3000, (2600, 2900, 3000, 3000, 3000)),
    "auto_year": (2001, 2020, (2009, 2014, 2016, 2018, 2020)),
    "incident_month": (1, 12, (1, 3, 7, 10, 12)),
    "incident_day": (1, 31, (2, 8, 16, 23, 29)),
    "incident_hour": (0, 23, (3, 8, 12, 16, 20)),
}
ZIPS = {
    "CA": (90001, 96150),
    "AZ": (85003, 86538),
    "WA": (98001, 99362),
    "OR": (97004, 97914),
    "NV": (89002, 89883),
    "ID": (83201, 83869),
}


def printed(out, *arguments):
    """Run the program in this process; its output, once it has ended well."""
    with redirect_stdout(io.StringIO()) as stream:
        assert main(["--out", str(out), *arguments]) == 0
    return stream.getvalue()


def read(path):
    return pd.read_csv(path, keep_default_na=False)


@cache  # of files that are made once
def read_texts(path):
    """Every record of a messy file as text, with its position, without the stray header."""
    records = pd.read_csv(path, keep_default_na=False, dtype=str)
    records = records[records["policy_id"] != "policy_id"].reset_index(drop=True)
    return records.assign(policy_id=records["policy_id"].astype(int))


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    out = tmp_path_factory.mktemp("clean")
    (out / "printed").write_text(printed(out, "--policies", str(POLICIES), "--seed", "1"))
    return out


@pytest.fixture(scope="module")
def policies(clean):
    return read(clean / "claims.csv").merge(read(clean / "customers.csv"), on="policy_id")


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    out = tmp_path_factory.mktemp("messy")
    arguments = ("--policies", str(POLICIES), "--seed", "1", "--messy")
    (out / "printed").write_text(printed(out, *arguments))
    return out


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Files of 100 000 policies, two chunks, and of 200 000, and the peak memory each took."""
    out = tmp_path_factory.mktemp("large")
    return out, peak_memory(out / "small", 100_000), peak_memory(out / "large", 200_000)


def peak_memory(out, count):
    """The peak of the program's memory in MiB, measured by a small process between it and us.

    Without it the program's figure would begin at ours, which it inherits when it is started.
    """
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [*PROGRAM, "--out", str(out), "--policies", str(count), "--seed", "1"]
    done = subprocess.run(
        [sys.executable, "-c", measure, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return int(done.stdout) / unit


# The files


@pytest.mark.parametrize(("name", "header"), [("claims", CLAIMS), ("customers", CUSTOMERS)])
def test_columns_are_the_workshops_in_its_order(clean, name, header):
    assert (clean / f"{name}.csv").read_text().partition("\n")[0] == header


@pytest.mark.parametrize("name", ["claims", "customers"])
def test_files_are_plain_csv_without_quotes_or_empty_cells(clean, name):
    text = (clean / f"{name}.csv").read_bytes().decode("ascii")
    assert text.endswith("\n")
    assert not re.search(r'"|\r|,,|^,|,$|^$', text.removesuffix("\n"), re.MULTILINE)


@pytest.mark.parametrize("name", ["claims", "customers"])
def test_one_row_per_policy_in_order(clean, name):
    assert read(clean / f"{name}.csv")["policy_id"].tolist() == list(range(1, POLICIES + 1))


def test_only_two_amounts_are_floats_and_no_number_is_text(policies):
    numbers = policies.select_dtypes("number")
    floats = numbers.select_dtypes("float").columns.tolist()
    assert floats == ["vehicle_claim", "total_claim_amount"]
    assert len(numbers.columns) == 20


def test_floats_have_all_their_digits_and_a_point(clean):
    with (clean / "claims.csv").open() as file:
        texts = [row[name] for row in csv.DictReader(file) for name in ("vehicle_claim",)]
    assert "1000.0" in texts
    assert all(text == repr(float(text)) for text in texts)


# The seed


@pytest.mark.parametrize("flags", [(), ("--messy",)])
def test_same_seed_same_bytes_another_seed_others(tmp_path, flags):
    for out, seed in (("once", "1"), ("again", "1"), ("other", "2")):
        arguments = ["--policies", "200", "--seed", seed, *flags]
        assert main(["--out", str(tmp_path / out), *arguments]) == 0
    for name in ("claims.csv", "customers.csv"):
        once = (tmp_path / "once" / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == once
        assert (tmp_path / "other" / name).read_bytes() != once


def test_first_policies_do_not_depend_on_how_many_there_are(tmp_path, clean):
    assert main(["--out", str(tmp_path), "--policies", "1000", "--seed", "1"]) == 0
    for name in ("claims.csv", "customers.csv"):
        assert (clean / name).read_bytes().startswith((tmp_path / name).read_bytes())


@pytest.mark.long  # the fixture makes 300 000 policies
@pytest.mark.parametrize("name", ["claims.csv", "customers.csv"])
def test_first_policies_do_not_depend_on_how_many_chunks_there_are(clean, large, name):
    whole = (large[0] / "large" / name).read_bytes()
    assert whole.startswith((large[0] / "small" / name).read_bytes())
    assert whole.startswith((clean / name).read_bytes())


@pytest.mark.long
def test_chunks_follow_each_other_and_differ(large):
    claims = read(large[0] / "large" / "claims.csv")
    assert claims.pop("policy_id").tolist() == list(range(1, 200_001))
    assert claims["vehicle_claim"][claims["vehicle_claim"] > 1000].is_unique


@pytest.mark.long
def test_memory_does_not_grow_with_the_policies(large):
    _, small, peak = large
    # 100 000 more policies are 26 MB of text in the files, and several times that as columns.
    assert peak < small + 20


def test_program_does_not_import_pandas(tmp_path):
    """Arrow does at the first pa.array(): 1.5 s, and 50 MB beside the 60 MB of a chunk."""
    code = (
        "import sys; from local_test.generate import main; main(); print('pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--policies", "10", "--out", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"


# What the columns hold


@pytest.mark.parametrize("column", WORKSHOP_COUNTS)
def test_values_are_as_frequent_as_in_the_workshop(policies, column):
    counts = WORKSHOP_COUNTS[column]
    shares = policies[column].value_counts(normalize=True)
    assert set(shares.index) <= set(counts)
    for value, count in counts.items():
        # 0.01: three times the error of a share of one half among 20 000, and the fit's own.
        assert shares.get(value, 0) == pytest.approx(count / 5000, abs=0.01)


@pytest.mark.parametrize("column", WORKSHOP_SPREADS)
def test_numbers_spread_as_in_the_workshop(policies, column):
    least, largest, quantiles = WORKSHOP_SPREADS[column]
    found = policies[column]
    assert found.min() >= least
    assert largest is None or found.max() <= largest
    ours = found.quantile([0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
    assert ours == pytest.approx(quantiles, rel=0.06, abs=1)


def test_no_collision_no_driver_no_side_one_vehicle(policies):
    elsewhere = policies["incident_type"] != "Collision"
    assert ((policies["driver_relationship"] == "N/A") == elsewhere).all()
    assert ((policies["collision_type"] == "N/A") == elsewhere).all()
    assert (policies.loc[elsewhere, "num_vehicles_involved"] == 1).all()


def test_reports_come_from_the_police_only(policies):
    reported = policies["police_report_available"] == "Yes"
    police = policies["authorities_contacted"] == "Police"
    assert police[reported].all()
    assert reported[police].mean() == pytest.approx(2108 / 3509, abs=0.02)


def test_total_is_the_sum_bit_for_bit(policies):
    total = policies["injury_claim"] + policies["vehicle_claim"]
    assert (policies["total_claim_amount"] == total).all()
    assert (policies["injury_claim"] % 100 == 0).all()


def test_severity_and_year_make_the_damage(policies):
    damage = policies["vehicle_claim"].groupby(policies["incident_severity"]).median()
    # The workshop's medians.
    assert damage["Minor"] == pytest.approx(10_600, rel=0.05)
    assert damage["Totaled"] == pytest.approx(32_900, rel=0.05)
    assert policies["vehicle_claim"].corr(policies["auto_year"]) == pytest.approx(0.37, abs=0.03)


def test_dates_exist(policies):
    days = pd.Series([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], index=range(1, 13))
    assert (policies["incident_day"] <= policies["incident_month"].map(days)).all()


def test_zip_codes_lie_in_their_state(policies):
    for state, (low, high) in ZIPS.items():
        assert (
            policies.loc[policies["policy_state"] == state, "customer_zip"].between(low, high).all()
        )


def test_customers_are_consistent(policies):
    """Nobody is a customer before 17, has several insurers after five years, or 15/30 up north."""
    months = policies["months_as_customer"]
    assert (months <= 12 * (policies["customer_age"] - 17)).all()
    assert (policies.loc[months >= 60, "num_insurers_past_5_years"] == 1).all()
    assert (
        policies.loc[policies["num_claims_past_year"] > 0, "policy_annual_premium"] == 3000
    ).all()
    assert (policies["policy_annual_premium"] % 50 == 0).all()
    states = policies.loc[policies["policy_liability"] == "15/30", "policy_state"]
    assert set(states) == {"CA", "AZ"}


def test_correlations_between_features_are_the_workshops(policies):
    for one, other, expected in [
        ("num_vehicles_involved", "num_witnesses", 0.59),
        ("num_vehicles_involved", "num_injuries", 0.40),
        ("num_injuries", "vehicle_claim", 0.44),
        ("customer_age", "months_as_customer", 0.55),
        ("customer_age", "num_insurers_past_5_years", -0.37),
        ("months_as_customer", "num_insurers_past_5_years", -0.49),
    ]:
        assert policies[one].corr(policies[other]) == pytest.approx(expected, abs=0.08)


# Fraud


def described_effects():
    """The rows of the docstring's table, as tuples of what they say."""
    line = r"^ {4}(\(every policy\)|\w+) +(\S.*?) +([+-]\d\.\d\d)$"
    rows = re.findall(line, generate.__doc__, re.MULTILINE)
    return [(column, counts, float(log_odds)) for column, counts, log_odds in rows]


def test_docstring_table_is_what_is_planted():
    planted = [("(every policy)", "always", BASE_LOG_ODDS)]
    for effect in EFFECTS:
        if isinstance(effect, Level):
            counts = effect.value
        else:
            counts = f"each {effect.unit} from {effect.start} to {effect.end}"
        planted.append((effect.column, counts, effect.log_odds))
    assert described_effects() == planted


def described_counts(policies):
    """For each line of the table but the first, how often it counts in every row."""
    columns = {}
    for column, counts, _ in described_effects()[1:]:
        slope = re.fullmatch(r"each (\d+) from (\d+) to (\d+)", counts)
        if slope:
            unit, start, end = map(int, slope.groups())
            columns[column, counts] = (policies[column].clip(start, end) - start) / unit
        else:
            columns[column, counts] = (policies[column] == counts).astype(float)
    return pd.DataFrame(columns)


@pytest.mark.long
def test_labels_follow_the_table_and_nothing_else(large):
    policies = read(large[0] / "large" / "claims.csv").merge(
        read(large[0] / "large" / "customers.csv"), on="policy_id"
    )
    design = described_counts(policies)
    for column, divisor in [("auto_year", 3), ("injury_claim", 30_000), ("incident_hour", 5)]:
        design[column, "nothing"] = policies[column] / divisor
    design["policy_state", "nothing"] = (policies["policy_state"] == "CA").astype(float)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky")
    model.fit(design.to_numpy(), policies["fraud"])
    planted = [log_odds for _, _, log_odds in described_effects()] + [0.0] * 4
    fitted = np.concatenate((model.intercept_, model.coef_[0]))
    # Four standard errors, from the curvature of the likelihood.
    features = np.column_stack((np.ones(len(design)), design))
    fraud = model.predict_proba(design.to_numpy())[:, 1]
    curvature = (features * (fraud * (1 - fraud))[:, np.newaxis]).T @ features
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    assert (np.abs(fitted - planted) < 4 * errors).all()
    # The errors are small enough to see every effect but those of incident_type.
    assert np.median(errors) < 0.05


def test_about_one_policy_in_thirty_is_fraud(policies):
    assert set(policies["fraud"]) == {0, 1}
    assert 0.028 <= policies["fraud"].mean() <= 0.038


@pytest.mark.parametrize(
    ("column", "more", "less"),
    [
        ("customer_gender", "Male", "Female"),
        ("incident_severity", "Minor", "Totaled"),
        ("incident_type", "Theft", "Collision"),
        ("authorities_contacted", "None", "Police"),
        ("police_report_available", "No", "Yes"),
        ("num_insurers_past_5_years", 3, 1),
        ("num_vehicles_involved", 1, 3),
        ("num_injuries", 0, 1),
        ("num_witnesses", 0, 2),
    ],
)
def test_fraud_is_more_frequent_where_the_workshops_is(policies, column, more, less):
    rates = policies.groupby(column)["fraud"].mean()
    assert rates[more] > 1.25 * rates[less]


def test_printed_ceiling_is_the_auc_of_the_described_probabilities(clean, policies):
    log_odds = sum(
        counts * effect[2]
        for (_, counts), effect in zip(
            described_counts(policies).items(), described_effects()[1:], strict=True
        )
    )
    auc = roc_auc_score(policies["fraud"], log_odds)
    frauds = policies["fraud"].sum()
    assert 0.80 < auc < 0.85
    assert (clean / "printed").read_text() == (
        f"{clean}/claims.csv: 20000 rows\n"
        f"{clean}/customers.csv: 20000 rows\n"
        f"fraud: {frauds} of 20000 policies, {frauds / 200:.2f} %\n"
        f"ceiling: AUC {auc:.4f} of the true probabilities; "
        "no model can expect more on new rows\n"
    )


def test_ceiling_counts_ties_as_half():
    log_odds = np.array([0, 1, 1, 1, 2, 2, 3, 0], np.float32)
    fraud = np.array([0, 0, 1, 1, 0, 1, 1, 1], bool)
    assert ceiling(log_odds, fraud).startswith(f"AUC {roc_auc_score(fraud, log_odds):.4f} ")


def test_ceiling_needs_both_classes():
    log_odds = np.zeros(3, np.float32)
    assert ceiling(log_odds, log_odds < 0) == "not defined (no fraud among 3 policies)"
    assert ceiling(log_odds, log_odds == 0) == "not defined (no other claim among 3 policies)"


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize("flags", [(), ("--messy",)])
def test_a_handful_of_policies(tmp_path, capsys, count, flags):
    arguments = ["--policies", str(count), "--seed", "1", "--out", str(tmp_path), *flags]
    assert main(arguments) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    claims = read_texts(tmp_path / "claims.csv")
    assert set(claims["policy_id"]) == set(range(1, count + 1))
    if set(claims["fraud"]) == {"0"}:
        assert last == f"ceiling: not defined (no fraud among {count} policies)"
    else:
        assert last.startswith("ceiling: AUC ")


# --messy


def latest(records):
    return records.sort_values("event_time").groupby("policy_id").tail(1).sort_values("policy_id")


def older_and_last(records):
    """Records that are not their policy's latest living one: older ones, and the deletions."""
    last = records["policy_id"].map(records.groupby("policy_id")["event_time"].max())
    is_last = records["event_time"] == last
    gone = is_last & (records["is_deleted"] == "True")
    true = (is_last & ~gone) | (
        records["policy_id"].isin(records.loc[gone, "policy_id"])
        & (records.groupby("policy_id")["event_time"].rank(ascending=False) == 2)
    )
    return records[~is_last & ~true], records[gone], records[true]


@pytest.fixture(scope="module", params=["claims", "customers"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def records(messy, name):
    return read_texts(messy / f"{name}.csv")


def test_messy_columns(messy):
    tail = ",event_time,is_deleted"
    assert (messy / "claims.csv").read_text().partition("\n")[0] == CLAIMS + tail
    assert (messy / "customers.csv").read_text().partition("\n")[0] == f",{CUSTOMERS}{tail}"


def test_event_time_and_is_deleted_are_texts_of_one_form(records):
    form = r"20(19|20|21)-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert records["event_time"].str.fullmatch(form).all()
    assert set(records["is_deleted"]) == {"True", "False"}


def test_latest_record_is_the_policy_of_the_clean_file(clean, records, name):
    expected = pd.read_csv(clean / f"{name}.csv", keep_default_na=False, dtype=str)
    found = latest(records)[expected.columns].astype(str).reset_index(drop=True)
    same = (found == expected) | (found == "")
    if name == "customers":
        moved = found["policy_state"] == "TX"
        same.loc[moved, ["policy_state", "customer_zip"]] = True
    assert same.all(axis=None)


def test_no_policy_has_two_records_of_one_time(records):
    assert not records.duplicated(["policy_id", "event_time"]).any()


def test_older_records_differ_and_stand_above_and_below(records, name):
    older, _, true = older_and_last(records)
    assert len(older) / POLICIES == pytest.approx(0.10, abs=0.01)
    pairs = older.reset_index().merge(true.reset_index(), on="policy_id")
    assert len(pairs) == len(older)
    assert (pairs["event_time_x"] < pairs["event_time_y"]).all()
    assert (pairs["index_x"] < pairs["index_y"]).mean() == pytest.approx(0.5, abs=0.1)
    if name == "claims":
        assert set(pairs["fraud_x"]) == {"0"}
        injuries = pairs[["injury_claim_x", "injury_claim_y"]].astype(int)
        assert (injuries["injury_claim_x"] == 2 * injuries["injury_claim_y"]).all()
    else:
        premiums = pairs[["policy_annual_premium_x", "policy_annual_premium_y"]]
        premiums = premiums[(premiums != "").all(axis=1)].astype(int)
        difference = premiums.iloc[:, 0] - premiums.iloc[:, 1]
        assert set(difference.abs()) == {50}


def test_some_older_records_were_deleted_and_restored(records):
    older, _, _ = older_and_last(records)
    assert (older["is_deleted"] == "True").mean() == pytest.approx(0.10, abs=0.03)


def test_deleted_policies_are_gone_from_both_tables(messy):
    gone = []
    for name in ("claims", "customers"):
        last = latest(read_texts(messy / f"{name}.csv"))
        gone.append(set(last.loc[last["is_deleted"] == "True", "policy_id"]))
    assert gone[0] == gone[1]
    assert len(gone[0]) / POLICIES == pytest.approx(0.02, abs=0.005)


def test_empty_cells_are_where_the_docstring_says(records, name):
    described = dict(re.findall(r"(\w+)\s+(\d) %", generate.__doc__.partition("empty cells")[2]))
    empty = (records == "").mean()
    for column in records.columns:
        share = int(described.get(column, 0)) / 100
        assert empty[column] == pytest.approx(share, abs=0.005 if share else 0)
    assert (empty > 0).sum() == 3


def test_every_record_has_a_label(messy):
    assert set(read_texts(messy / "claims.csv")["fraud"]) == {"0", "1"}


def test_unseen_state_comes_in_the_last_tenth_only(messy):
    last = latest(read_texts(messy / "customers.csv"))
    moved = last[last["policy_state"] == "TX"]
    assert moved["policy_id"].min() > 0.9 * POLICIES
    assert len(moved) / (POLICIES / 10) == pytest.approx(0.20, abs=0.03)
    assert moved["customer_zip"].astype(int).between(75_001, 79_999).all()


def test_stray_header_stands_once_in_the_middle(messy):
    lines = (messy / "claims.csv").read_text().splitlines()
    header, *places = [place for place, line in enumerate(lines) if line == lines[0]]
    assert header == 0
    assert places == [pytest.approx(len(lines) / 2, rel=0.1)]


def test_customers_have_an_index_without_a_name(messy):
    with (messy / "customers.csv").open() as file:
        index = [row[""] for row in csv.DictReader(file)]
    assert index == [str(place) for place in range(len(index))]


@pytest.mark.long
def test_messy_files_of_several_chunks_hang_together(tmp_path, capsys):
    assert main(["--policies", "60000", "--out", str(tmp_path), "--messy"]) == 0
    printed = capsys.readouterr().out.splitlines()
    claims = (tmp_path / "claims.csv").read_text().splitlines()
    assert claims.count(claims[0]) == 2
    assert printed[0] == f"{tmp_path}/claims.csv: {len(claims) - 2} rows"
    customers = (tmp_path / "customers.csv").read_text().splitlines()
    assert printed[1] == f"{tmp_path}/customers.csv: {len(customers) - 1} rows"
    index = [line.partition(",")[0] for line in customers[1:]]
    assert index == [str(place) for place in range(len(index))]


# The command line


def test_help_is_the_docstring_and_every_option(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    assert generate.__doc__.strip() in printed
    for words in ("--policies N", "--seed S", "--out DIR", "--messy", "example: python -m"):
        assert words in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--policies", "0"],
            "argument --policies: must be a whole number of at least 1, not '0'",
        ),
        (
            ["--policies", "-3"],
            "argument --policies: must be a whole number of at least 1, not '-3'",
        ),
        (
            ["--policies", "many"],
            "argument --policies: must be a whole number of at least 1, not 'many'",
        ),
        (["--seed", "-1"], "argument --seed: must be a whole number of at least 0, not '-1'"),
        ([], "the following arguments are required: --out"),
        (["--out", "x", "--mess"], "unrecognized arguments: --mess"),
    ],
)
def test_wrong_argument_ends_with_one_sentence(capsys, arguments, sentence):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert capsys.readouterr() == ("", f"{PREFIX}{sentence}\n")


def test_out_that_is_a_file_as_a_real_run(tmp_path):
    out = tmp_path / "notes.txt"
    out.touch()
    done = subprocess.run([*PROGRAM, "--out", out], cwd=ROOT, capture_output=True, text=True)
    sentence = f"argument --out: must name a folder, but {out} is a file"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{PREFIX}{sentence}\n")


def test_out_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "notes.txt").touch()
    out = tmp_path / "notes.txt" / "data"
    assert main(["--out", str(out)]) == 1
    assert capsys.readouterr() == ("", f"{PREFIX}cannot write to {out}: Not a directory\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_keeps_what_was_there(tmp_path, capsys):
    (tmp_path / "claims.csv").write_text("of an earlier run")
    (tmp_path / "customers.csv.part").symlink_to("/dev/full")
    assert main(["--out", str(tmp_path)]) == 1
    sentence = f"cannot write to {tmp_path}: No space left on device"
    assert capsys.readouterr() == ("", f"{PREFIX}{sentence}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["claims.csv"]
    assert (tmp_path / "claims.csv").read_text() == "of an earlier run"
