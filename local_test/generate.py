"""Write the example's tables, claims.csv and customers.csv: synthetic auto-insurance policies.

Columns, categories, frequencies and amounts are those of AWS's fraud-detection workshop, with
its spellings (policy_deductable, Unkown); no row is copied. There is one claim and one customer
for every policy_id from 1 to N. No cell is empty: N/A and None are categories.

WHAT MAKES A CLAIM FRAUD
Each line adds to the log-odds of fraud; a number counts from the first bound to the second, and
not beyond. The label is then drawn with the probability that results, 3.3 % on average.

    column                       what counts               log-odds
    (every policy)               always                       -3.60
    customer_gender              Male                         +1.30
    customer_gender              Unkown                       -0.60
    customer_gender              Other                        -0.60
    num_insurers_past_5_years    each 1 from 1 to 5           +0.45
    num_claims_past_year         each 1 from 0 to 3           +0.70
    months_as_customer           each 12 from 0 to 60         -0.10
    customer_age                 each 10 from 18 to 70        -0.10
    num_vehicles_involved        each 1 from 1 to 4           -0.40
    num_injuries                 each 1 from 0 to 3           -0.80
    num_witnesses                each 1 from 0 to 3           -0.30
    incident_type                Theft                        +0.20
    incident_type                Break-in                     +0.10
    incident_severity            Totaled                      -0.10
    authorities_contacted        None                         +0.20
    police_report_available      No                           +0.50

No other column has an effect of its own; some go with one that has (vehicle_claim with the
severity, driver_relationship N/A with theft). The ceiling that is printed last is the AUC of the
true probabilities against the labels drawn: on new rows no model can expect more.

The same seed gives the same bytes. Without --messy the first policies are also the same whatever
N is. Memory does not grow with N, but for 5 bytes a policy.

WHAT --messy ADDS
The same policies as real exports of an append-only store hold them. Of every policy, the record
with the latest event_time is the true one: but for empty cells and the state TX it says what the
tables say without --messy.

    event_time       last column but one of both tables, ISO 8601 text in UTC: 2020-03-31T08:15:00Z
    is_deleted       last column of both tables, True or False
    older records    10 % of the policies, in each table by itself, have a second record with an
                     earlier event_time, above or below the true one. In claims.csv it has twice
                     the injury_claim and fraud 0; in customers.csv another policy_annual_premium.
                     10 % of the older records are deleted ones: the policy was restored later
    deleted          2 % of the policies, the same in both tables, have a last record with
                     is_deleted True: these policies are gone
    empty cells      claims.csv: num_witnesses 3 %, police_report_available 2 %, vehicle_claim 1 %;
                     customers.csv: customer_education 3 %, customer_age 2 %,
                     policy_annual_premium 1 %
    unseen state     TX, with a zip code of its own, for 20 % of the last tenth of the policies
    a stray header   claims.csv: the header stands again behind a record of the middle policy
    an index column  customers.csv: first, without a name, counting the records from 0

These are shares of random draws: a handful of policies may show none. The summary counts all N
policies with their true labels, the deleted ones too.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray
from pyarrow import csv

from local_test.export import empty_cells, export, export_generator
from local_test.policies import CHUNK, Column, Columns, Mask, Policies, draw

PROGRAM = "python -m local_test.generate"
EXAMPLE = f"example: {PROGRAM} --policies 20000 --seed 1 --out /tmp/demo"
# As many as the workshop's files have.
DEFAULT_POLICIES = 5000


@dataclass(frozen=True)
class Arguments:
    """What the command line says."""

    policies: int
    seed: int
    out: Path
    messy: bool


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """End with the sentence, without the usage."""
        self.exit(2, f"{self.prog}: {message}\n")


class CsvFile:
    """A CSV file as the workshop's are written: no quotes, floats with all their digits."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        """Append the rows; the first ones bring the header."""
        if not self.rows:
            self.write_header(table)
        # To memory first: a full disk is then Python's own OSError, with its reason.
        lines = pa.BufferOutputStream()
        csv.write_csv(table, lines, csv.WriteOptions(include_header=False, quoting_style="none"))
        self._file.write(lines.getvalue())
        self.rows += table.num_rows

    def write_header(self, table: pa.Table) -> None:
        """Append the names of the columns."""
        self._file.write(",".join(table.column_names).encode() + b"\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Write both tables and print what is in them."""
    arguments = parse(argv)
    try:
        print(run(arguments))
    except OSError as error:
        reason = error.strerror or error
        print(f"{PROGRAM}: cannot write to {arguments.out}: {reason}", file=sys.stderr)
        return 1
    return 0


def parse(argv: Sequence[str] | None) -> Arguments:
    """Return the arguments, or end with exit code 2 and a sentence."""
    parser = Parser(
        prog=PROGRAM,
        description=__doc__,
        epilog=EXAMPLE,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    number, seed, out, messy = (
        "how many policies (default: %(default)s)",
        "the same seed gives the same bytes (default: %(default)s)",
        "folder for the two files, made if missing",
        "add what real exports have, see above",
    )
    add = parser.add_argument
    add("--policies", metavar="N", type=at_least(1), default=DEFAULT_POLICIES, help=number)
    add("--seed", metavar="S", type=at_least(0), default=0, help=seed)
    add("--out", metavar="DIR", type=Path, required=True, help=out)
    add("--messy", action="store_true", help=messy)
    arguments = Arguments(**vars(parser.parse_args(argv)))
    if arguments.out.is_file():
        parser.error(f"argument --out: must name a folder, but {arguments.out} is a file")
    return arguments


def at_least(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers that are not less."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, not {text!r}"
            )
        return int(text)

    return read


def run(arguments: Arguments) -> str:
    """Write both tables, chunk by chunk, and return the summary."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    log_odds, fraud = [], []
    with (
        replacing(arguments.out / "claims.csv") as claims,
        replacing(arguments.out / "customers.csv") as customers,
    ):
        for chunk in range(-(-arguments.policies // CHUNK)):
            policies = draw(arguments.seed, chunk).first(arguments.policies - chunk * CHUNK)
            if arguments.messy:
                rng = export_generator(arguments.seed, chunk)
                write_export(policies, arguments.policies, rng, claims, customers)
            else:
                claims.write(table(policies.claims, {}))
                customers.write(table(policies.customers, {}))
            log_odds.append(policies.log_odds.astype(np.float32))
            fraud.append(policies.claims["fraud"].astype(np.bool_))
    return summary((claims, customers), np.concatenate(log_odds), np.concatenate(fraud))


@contextmanager
def replacing(path: Path) -> Iterator[CsvFile]:
    """Open the file under another name, and give it its own when it is whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield CsvFile(path, file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_export(
    policies: Policies, total: int, rng: Generator, claims: CsvFile, customers: CsvFile
) -> None:
    """Append the records of an export, the stray header and the index column among them."""
    claim_records, customer_records = export(policies, total, rng)
    rows = table(claim_records, empty_cells(claim_records, rng))
    middle = np.flatnonzero(claim_records["policy_id"] == (total + 1) // 2)
    cut = int(middle[0]) + 1 if middle.size else 0
    if cut:
        claims.write(rows.slice(0, cut))
        claims.write_header(rows)
    claims.write(rows.slice(cut))
    rows = table(customer_records, empty_cells(customer_records, rng))
    index = np.arange(customers.rows, customers.rows + rows.num_rows)
    customers.write(rows.add_column(0, "", written(index)))


def table(columns: Columns, empty: Mapping[str, Mask]) -> pa.Table:
    """Return the columns as they are written, the masked cells empty."""
    arrays = [written(column, empty.get(name)) for name, column in columns.items()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def written(column: Column, empty: Mask | None = None) -> pa.Array:
    """Return the column; of floats the texts, as Arrow alone would write 1000.0 as 1000.

    Made of its buffers, because pa.array() imports pandas: 1.5 s and 50 MB for nothing.
    """
    present = None if empty is None else pa.py_buffer(np.packbits(~empty, bitorder="little"))
    if column.dtype == np.int64:
        buffers = [present, pa.py_buffer(np.ascontiguousarray(column))]
        return pa.Array.from_buffers(pa.int64(), column.size, buffers)
    if column.dtype == np.float64:
        column = np.array([repr(value) for value in column.tolist()])
    texts = column.astype(np.bytes_)
    offsets = np.zeros(texts.size + 1, np.int32)
    np.cumsum(np.strings.str_len(texts), out=offsets[1:])
    buffers = [present, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts.tolist()))]
    return pa.Array.from_buffers(pa.string(), texts.size, buffers)


def summary(files: Sequence[CsvFile], log_odds: NDArray[np.float32], fraud: Mask) -> str:
    """Return what was written, and the ceiling."""
    frauds, total = np.count_nonzero(fraud), fraud.size
    return "\n".join(
        [
            *(f"{file.path}: {file.rows} rows" for file in files),
            f"fraud: {frauds} of {total} policies, {100 * frauds / total:.2f} %",
            f"ceiling: {ceiling(log_odds, fraud)}",
        ]
    )


def ceiling(log_odds: NDArray[np.float32], fraud: Mask) -> str:
    """Return the AUC of the true log-odds (or probabilities: the order is the same) in words."""
    positives, negatives = log_odds[fraud], np.sort(log_odds[~fraud])
    if not positives.size or not negatives.size:
        absent = "other claim" if positives.size else "fraud"
        return f"not defined (no {absent} among {fraud.size} policies)"
    below = np.searchsorted(negatives, positives, side="left").sum(dtype=np.float64)
    not_above = np.searchsorted(negatives, positives, side="right").sum(dtype=np.float64)
    auc = (below + not_above) / 2 / positives.size / negatives.size
    return f"AUC {auc:.4f} of the true probabilities; no model can expect more on new rows"


if __name__ == "__main__":
    sys.exit(main())
