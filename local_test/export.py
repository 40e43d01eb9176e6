"""Policies as an export of an append-only store holds them: what `--messy` makes of them.

The program's docstring (generate.py) says it in words. Everything here is drawn from a generator
of its own, so that the true records stay the policies that are written without `--messy`.
"""

import numpy as np
from numpy.random import Generator

from local_test.policies import LEAST_PREMIUM, PREMIUM_STEP, Columns, Integers, Mask, Policies

# Large enough to be seen in 5000 policies, small enough that a model learns the same from them.
OLDER_SHARE, RESTORED_SHARE, DELETED_SHARE = 0.1, 0.1, 0.02
EMPTY_SHARES = {
    "num_witnesses": 0.03,
    "police_report_available": 0.02,
    "vehicle_claim": 0.01,
    "customer_education": 0.03,
    "customer_age": 0.02,
    "policy_annual_premium": 0.01,
}
UNSEEN_STATE, UNSEEN_SHARE, UNSEEN_AFTER = "TX", 0.2, 0.9
UNSEEN_ZIP_LOW, UNSEEN_ZIP_HIGH = 75001, 79999  # Texas
# True records fall into the year of the newest vehicles, a repeated key's up to 90 days away.
FIRST_MOMENT, MOMENTS, MOMENTS_APART = np.datetime64("2020-01-01", "s"), 366 * 86_400, 90 * 86_400
# From a record to its true one, at most: little, so that it is never far beyond a chunk's memory.
ROWS_APART = 500


def export_generator(seed: int, chunk: int) -> Generator:
    """Return the generator for the records of one chunk, beside the policies' own."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chunk, 1)))


def export(policies: Policies, total: int, rng: Generator) -> tuple[Columns, Columns]:
    """Return the records of both tables; these policies are some of `total`."""
    deleted = np.flatnonzero(rng.random(len(policies.log_odds)) < DELETED_SHARE)
    claims = records(policies.claims, first_claims(policies.claims), deleted, rng)
    customers = with_unseen_state(policies.customers, total, rng)
    return claims, records(customers, former_customers(customers), deleted, rng)


def records(columns: Columns, outdated: Columns, deleted: Integers, rng: Generator) -> Columns:
    """Return the true records and, among them, older ones and those that say "deleted"."""
    rows = len(columns["policy_id"])
    older = np.flatnonzero(rng.random(rows) < OLDER_SHARE)
    true = np.arange(rows)
    moment = FIRST_MOMENT + rng.integers(0, MOMENTS, rows)
    moments = (
        moment,
        moment[older] - rng.integers(1, MOMENTS_APART, older.size),
        moment[deleted] + rng.integers(1, MOMENTS_APART, deleted.size),
    )
    is_deleted = (
        np.zeros(rows, np.bool_),
        rng.random(older.size) < RESTORED_SHARE,
        np.ones(deleted.size, np.bool_),
    )
    repeated = np.concatenate((older, deleted))
    place = repeated + rng.uniform(-ROWS_APART, ROWS_APART, repeated.size)
    order = np.argsort(np.concatenate((true, place)), kind="stable")
    shuffled = {
        name: np.concatenate((column, outdated[name][older], column[deleted]))[order]
        for name, column in columns.items()
    }
    return shuffled | {
        "event_time": np.datetime_as_string(np.concatenate(moments)[order], timezone="UTC"),
        "is_deleted": np.where(np.concatenate(is_deleted)[order], "True", "False"),
    }


def first_claims(claims: Columns) -> Columns:
    """Return the claims as first filed: the injuries estimated too high, fraud not yet found."""
    injury = 2 * claims["injury_claim"].astype(np.int64)
    total = injury + claims["vehicle_claim"].astype(np.float64)
    fraud = np.zeros_like(claims["fraud"])
    return claims | {"injury_claim": injury, "total_claim_amount": total, "fraud": fraud}


def former_customers(customers: Columns) -> Columns:
    """Return the customers under a former contract, whose premium was another."""
    premium = customers["policy_annual_premium"].astype(np.int64)
    step = np.where(premium > LEAST_PREMIUM, -PREMIUM_STEP, PREMIUM_STEP)
    return customers | {"policy_annual_premium": premium + step}


def with_unseen_state(customers: Columns, total: int, rng: Generator) -> Columns:
    """Return the customers, some of the last tenth of all moved to the unseen state."""
    later = customers["policy_id"].astype(np.int64) > UNSEEN_AFTER * total
    moved = later & (rng.random(later.size) < UNSEEN_SHARE)
    zips = rng.integers(UNSEEN_ZIP_LOW, UNSEEN_ZIP_HIGH, later.size, endpoint=True)
    return customers | {
        "policy_state": np.where(moved, UNSEEN_STATE, customers["policy_state"]),
        "customer_zip": np.where(moved, zips, customers["customer_zip"]),
    }


def empty_cells(columns: Columns, rng: Generator) -> dict[str, Mask]:
    """Return where the columns that have empty cells have them."""
    return {
        name: rng.random(len(column)) < EMPTY_SHARES[name]
        for name, column in columns.items()
        if name in EMPTY_SHARES
    }
