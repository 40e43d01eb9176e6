"""One policy of the example: its columns, how often each value occurs, what makes it fraud.

A list of whole numbers below is a count of rows in the workshop's raw claims.csv or
customers.csv (5000 policies): the weight with which the value beside it is drawn. A list with
one line per group holds the counts within each group. The formulas were recovered from the same
files; the comment at each says how it fits them.

This module draws values. It writes no files and knows nothing of `--messy`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Column: TypeAlias = NDArray[np.generic]
Columns: TypeAlias = dict[str, Column]
Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = NDArray[np.str_]
Mask: TypeAlias = NDArray[np.bool_]

# Policies drawn together, from a generator of their own; always as many, so that the first rows
# are the same however many are asked for. 50 000 take some 60 MB and hide numpy's cost per call.
CHUNK = 50_000


@dataclass(frozen=True)
class Level:
    """A category that moves the log-odds of fraud."""

    column: str
    value: str
    log_odds: float

    def moves(self, column: Column) -> Floats:
        """Return what each row's log-odds gain by it."""
        return np.where(column.astype(np.str_) == self.value, self.log_odds, 0.0)


@dataclass(frozen=True)
class Slope:
    """A number that moves the log-odds of fraud with each `unit` between `start` and `end`."""

    column: str
    unit: int
    start: int
    end: int
    log_odds: float

    def moves(self, column: Column) -> Floats:
        """Return what each row's log-odds gain by it."""
        beyond = np.clip(column.astype(np.float64), self.start, self.end) - self.start
        return beyond * (self.log_odds / self.unit)


# Sizes are those of a logistic regression on the workshop's raw tables, rounded, then moved until
# the fraud rates per value and the AUCs of single columns came near those of its tables.
# A slope ends where hardly any policy lies beyond, or where the workshop's rate goes flat.
EFFECTS: tuple[Level | Slope, ...] = (
    Level("customer_gender", "Male", 1.3),
    Level("customer_gender", "Unkown", -0.6),
    Level("customer_gender", "Other", -0.6),
    Slope("num_insurers_past_5_years", 1, 1, 5, 0.45),
    Slope("num_claims_past_year", 1, 0, 3, 0.7),
    Slope("months_as_customer", 12, 0, 60, -0.1),
    Slope("customer_age", 10, 18, 70, -0.1),
    Slope("num_vehicles_involved", 1, 1, 4, -0.4),
    Slope("num_injuries", 1, 0, 3, -0.8),
    Slope("num_witnesses", 1, 0, 3, -0.3),
    Level("incident_type", "Theft", 0.2),
    Level("incident_type", "Break-in", 0.1),
    Level("incident_severity", "Totaled", -0.1),
    Level("authorities_contacted", "None", 0.2),
    Level("police_report_available", "No", 0.5),
)
# Of a policy that none of the effects moves; set so that 3.3 % of 5 million policies are fraud.
BASE_LOG_ODDS = -3.6

INCIDENTS = {"Collision": 4272, "Break-in": 484, "Theft": 244}
NO_COLLISION = "N/A"
RELATIONSHIPS = {"Self": 3418, "Spouse": 428, "Child": 226, "Other": 200}
COLLISIONS = {"Front": 2109, "Rear": 1105, "Side": 1058}
# One to six vehicles in a collision; a break-in or a theft involves one.
VEHICLES = (488, 2308, 1212, 241, 22, 1)
SEVERITIES = ("Minor", "Major", "Totaled")
SEVERITY_COUNTS = (
    (361, 76, 51),  # a collision of one vehicle
    (1021, 918, 369),  # of two
    (244, 325, 643),  # of three
    (38, 87, 139),  # of four and more
    (436, 48, 0),  # a break-in
    (0, 244, 0),  # a theft
)
INJURY_COUNTS = (
    (361, 0, 0, 0, 0),  # a minor collision of one vehicle
    (950, 71, 0, 0, 0),  # of two
    (220, 24, 0, 0, 0),  # of three
    (34, 0, 4, 0, 0),  # of four and more
    (65, 11, 0, 0, 0),  # a major collision, likewise
    (545, 227, 101, 45, 0),
    (192, 82, 0, 35, 16),
    (52, 0, 19, 1, 15),
    (39, 8, 4, 0, 0),  # a collision that totaled the vehicle, likewise
    (81, 188, 48, 37, 15),
    (124, 339, 0, 89, 91),
    (28, 0, 77, 0, 34),
    (436, 0, 0, 0, 0),  # a minor break-in
    (244, 48, 0, 0, 0),  # a major break-in, a theft
)
WITNESS_COUNTS = (
    (481, 7, 0, 0, 0, 0),  # a collision of one vehicle
    (1171, 649, 364, 105, 17, 2),  # of two
    (254, 369, 364, 172, 43, 10),  # of three
    (10, 49, 84, 51, 47, 23),  # of four and more
    (690, 38, 0, 0, 0, 0),  # a break-in, a theft
)
AUTHORITIES = ("Police", "None", "Ambulance", "Fire")
AUTHORITY_COUNTS = (
    (499, 1165, 0, 0),  # a minor collision
    (1341, 0, 65, 0),  # a major one
    (986, 0, 81, 135),  # one that totaled the vehicle
    (391, 45, 0, 0),  # a minor break-in
    (292, 0, 0, 0),  # a major break-in, a theft
)
# Of incidents with the police; the others never have a report.
POLICE_REPORTS = {"Yes": 2108, "No": 1401}
MONTHS = (511, 368, 410, 344, 360, 331, 366, 411, 350, 523, 548, 478)
DAYS_OF_MONTH = np.array((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
WEEKDAYS = (847, 868, 754, 758, 802, 469, 502)
HOURS = (
    *(67, 67, 94, 86, 153, 232, 229, 247, 297, 288, 294, 306),
    *(291, 311, 330, 334, 336, 277, 223, 192, 147, 84, 61, 54),
)
# Amounts in hundreds, lognormal: their logarithms have skewness 0.01 and kurtosis -0.03.
INJURY_LOG_MEAN, INJURY_LOG_DEVIATION, LEAST_INJURY = 9.58, 1.0, 300
# The damage to a new vehicle, by severity; 5 % less for each year of age. The residuals of this
# formula have about mean 0 and deviation 4000 in every severity and year, cut off at 1000.
DAMAGES = np.array((40_000 / 3, 20_000, 40_000))
DEPRECIATION, DAMAGE_DEVIATION, LEAST_DAMAGE = 0.05, 4000, 1000

# A bell cut off at both ends: mean 44.0 and deviation 13.6 (workshop 44.0, 13.5).
AGES, AGE_MIDDLE, AGE_WIDTH = range(18, 71), 44, 20
# Of the time since the 17th birthday, the share as a customer is a beta variable: its mean falls
# with age from 0.45 to 0.28, and it gathers there, as the means and deviations per age do.
BIRTHDAY, SHARE_OLD, SHARE_YOUNG, SHARE_FADING, GATHERING = 17, 0.27, 0.19, 18, 0.2
INSURER_COUNTS = (
    (129, 152, 134, 133, 83),  # a customer for less than two years
    (95, 115, 87, 53, 0),  # in the third year
    (146, 143, 88, 0, 0),  # in the fourth
    (217, 152, 0, 0, 0),  # in the fifth
    (3273, 0, 0, 0, 0),  # for longer
)
INSURER_MONTHS = (24, 36, 48, 60)
CLAIMS = (4665, 268, 43, 17, 3, 2, 2)
# Nobody with a claim in the past year pays less than the full premium; of the others 24 % do, by
# year of the vehicle and age as least squares say (the residuals' deviation is 139).
FULL_PREMIUM, LEAST_PREMIUM, PREMIUM_STEP, PREMIUM_DEVIATION = 3000, 2200, 50, 139
LOWER_SHARE, LOWER_SHARE_PER_YEAR, LOWER_SHARE_PER_AGE = 0.24, -0.0149, 0.0027
LOWER_PREMIUM, LOWER_PREMIUM_PER_YEAR, LOWER_PREMIUM_PER_AGE = 2797, 11.6, -2.57
MEAN_AGE = 44
DEDUCTIBLES = np.array((750, 800, 850, 900, 950, 1000, 1050, 1100))
DEDUCTIBLE_COUNTS = (
    (3566, 9, 3, 1, 1, 0, 0, 0),  # full premium
    (1384, 19, 6, 2, 4, 1, 2, 2),  # a lower one
)
STATES = ("CA", "AZ", "WA", "OR", "NV", "ID")
STATE_COUNTS = (3134, 539, 607, 363, 222, 135)
# The least and the largest code seen in each state.
ZIP_LOWS = np.array((90001, 85003, 98001, 97004, 89002, 83201))
ZIP_HIGHS = np.array((96150, 86538, 99362, 97914, 89883, 83869))
LIABILITIES = np.array(("15/30", "25/50", "30/60", "100/200"))
LIABILITY_COUNTS = (
    (1631, 1027, 708, 307),  # the first two states
    (0, 670, 429, 228),  # the others, where 15/30 does not occur
)
GENDERS = {"Male": 2281, "Female": 2208, "Unkown": 420, "Other": 91}
EDUCATIONS = {
    "Bachelor": 2211,
    "High School": 1264,
    "Advanced Degree": 952,
    "Associate": 475,
    "Below High School": 98,
}
NEWEST_YEAR = 2020
YEARS = (
    *(3, 14, 18, 16, 31, 23, 53, 60, 67, 101),
    *(142, 224, 276, 425, 531, 602, 682, 673, 581, 478),
)


@dataclass(frozen=True)
class Policies:
    """Some policies: the rows of both tables, and the true log-odds of fraud of each."""

    claims: Columns
    customers: Columns
    log_odds: Floats

    def first(self, rows: int) -> "Policies":
        """Return the first `rows` of them."""
        claims, customers = (
            {name: column[:rows] for name, column in table.items()}
            for table in (self.claims, self.customers)
        )
        return Policies(claims, customers, self.log_odds[:rows])


def draw(seed: int, chunk: int) -> Policies:
    """Return the policies of one chunk, the same for the same seed and number."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chunk,)))
    severity, claims = draw_incident(rng)
    auto_year = NEWEST_YEAR + 1 - len(YEARS) + draw_index(rng, [YEARS])
    claims = claims | draw_amounts(rng, severity, auto_year) | draw_moment(rng)
    customers = draw_customer(rng, auto_year)
    log_odds = np.full(CHUNK, BASE_LOG_ODDS)
    for effect in EFFECTS:
        log_odds += effect.moves((claims | customers)[effect.column])
    fraud = rng.random(CHUNK) < 1 / (1 + np.exp(-log_odds))
    policy_id: Columns = {"policy_id": np.arange(CHUNK) + (chunk * CHUNK + 1)}
    return Policies(
        policy_id | claims | {"fraud": fraud.astype(np.int64)}, policy_id | customers, log_odds
    )


def draw_incident(rng: Generator) -> tuple[Integers, Columns]:
    """Return what happened: the severity's index, and the columns."""
    incident = draw_index(rng, [tuple(INCIDENTS.values())])
    collision = incident == 0
    vehicles = np.where(collision, 1 + draw_index(rng, [VEHICLES]), 1)
    size = np.minimum(vehicles, 4) - 1
    severity = draw_index(rng, SEVERITY_COUNTS, np.where(collision, size, 3 + incident))
    serious = (severity > 0).astype(np.int64)
    injury_group = np.where(collision, 4 * severity + size, 12 + serious)
    authority_group = np.where(collision, severity, 3 + serious)
    authorities = draw_index(rng, AUTHORITY_COUNTS, authority_group)
    return severity, {
        "driver_relationship": np.where(collision, draw_text(rng, RELATIONSHIPS), NO_COLLISION),
        "incident_type": np.array(tuple(INCIDENTS))[incident],
        "collision_type": np.where(collision, draw_text(rng, COLLISIONS), NO_COLLISION),
        "incident_severity": np.array(SEVERITIES)[severity],
        "authorities_contacted": np.array(AUTHORITIES)[authorities],
        "num_vehicles_involved": vehicles,
        "num_injuries": draw_index(rng, INJURY_COUNTS, injury_group),
        "num_witnesses": draw_index(rng, WITNESS_COUNTS, np.where(collision, size, 4)),
        "police_report_available": np.where(authorities == 0, draw_text(rng, POLICE_REPORTS), "No"),
    }


def draw_amounts(rng: Generator, severity: Integers, auto_year: Integers) -> Columns:
    """Return the three amounts; the total is the floating-point sum of the other two."""
    logarithm = rng.normal(INJURY_LOG_MEAN, INJURY_LOG_DEVIATION, CHUNK)
    injury = np.maximum(np.rint(np.exp(logarithm) / 100) * 100, LEAST_INJURY)
    worth = 1 - DEPRECIATION * (NEWEST_YEAR - auto_year)
    vehicle = DAMAGES[severity] * worth + rng.normal(0, DAMAGE_DEVIATION, CHUNK)
    vehicle = np.maximum(vehicle, LEAST_DAMAGE)
    return {
        "injury_claim": injury.astype(np.int64),
        "vehicle_claim": vehicle,
        "total_claim_amount": injury + vehicle,
    }


def draw_moment(rng: Generator) -> Columns:
    """Return the date and hour; the weekday is not the date's, as in the workshop."""
    month = draw_index(rng, [MONTHS])
    return {
        "incident_month": month + 1,
        "incident_day": rng.integers(1, DAYS_OF_MONTH[month], endpoint=True),
        "incident_dow": draw_index(rng, [WEEKDAYS]),
        "incident_hour": draw_index(rng, [HOURS]),
    }


def draw_customer(rng: Generator, auto_year: Integers) -> Columns:
    """Return the columns of customers.csv but policy_id."""
    weights = [math.exp(-(((age - AGE_MIDDLE) / AGE_WIDTH) ** 2) / 2) for age in AGES]
    age = AGES[0] + draw_index(rng, [weights])
    months = draw_months(rng, age)
    insurers = 1 + draw_index(rng, INSURER_COUNTS, np.digitize(months, INSURER_MONTHS))
    claims = draw_index(rng, [CLAIMS])
    premium = draw_premium(rng, age, auto_year, claims)
    deductible = draw_index(rng, DEDUCTIBLE_COUNTS, (premium < FULL_PREMIUM).astype(np.int64))
    state = draw_index(rng, [STATE_COUNTS])
    liability = draw_index(rng, LIABILITY_COUNTS, (state >= 2).astype(np.int64))
    return {
        "customer_age": age,
        "months_as_customer": months,
        "num_claims_past_year": claims,
        "num_insurers_past_5_years": insurers,
        "policy_state": np.array(STATES)[state],
        "policy_deductable": DEDUCTIBLES[deductible],
        "policy_annual_premium": premium,
        "policy_liability": LIABILITIES[liability],
        "customer_zip": rng.integers(ZIP_LOWS[state], ZIP_HIGHS[state], endpoint=True),
        "customer_gender": draw_text(rng, GENDERS),
        "customer_education": draw_text(rng, EDUCATIONS),
        "auto_year": auto_year,
    }


def draw_months(rng: Generator, age: Integers) -> Integers:
    """Return months_as_customer, at least one and at most all since the birthday."""
    years = age - BIRTHDAY
    mean = SHARE_OLD + SHARE_YOUNG * np.exp(-years / SHARE_FADING)
    gathered = 1 + GATHERING * years
    share = rng.beta(mean * gathered, (1 - mean) * gathered)
    return np.maximum(np.ceil(share * 12 * years), 1).astype(np.int64)


def draw_premium(rng: Generator, age: Integers, auto_year: Integers, claims: Integers) -> Integers:
    """Return policy_annual_premium, in steps."""
    years, ages = auto_year - NEWEST_YEAR, age - MEAN_AGE
    share = LOWER_SHARE + LOWER_SHARE_PER_YEAR * years + LOWER_SHARE_PER_AGE * ages
    lower = (rng.random(CHUNK) < share) & (claims == 0)
    middle = LOWER_PREMIUM + LOWER_PREMIUM_PER_YEAR * years + LOWER_PREMIUM_PER_AGE * ages
    premium = np.rint(rng.normal(middle, PREMIUM_DEVIATION) / PREMIUM_STEP) * PREMIUM_STEP
    premium = np.clip(premium, LEAST_PREMIUM, FULL_PREMIUM - PREMIUM_STEP)
    return np.where(lower, premium, FULL_PREMIUM).astype(np.int64)


def draw_text(rng: Generator, counts: Mapping[str, int]) -> Texts:
    """Return texts, each as often as its count says."""
    return np.array(tuple(counts))[draw_index(rng, [tuple(counts.values())])]


def draw_index(
    rng: Generator, counts: Sequence[Sequence[float]], group: Integers | None = None
) -> Integers:
    """Return positions in the counts, each as often as its count in the row's group says."""
    edges = np.cumsum(counts, axis=1)
    edges = edges / edges[:, -1:]
    uniform = rng.random(CHUNK)
    if group is None:
        return np.searchsorted(edges[0], uniform, side="right")
    index: Integers = np.count_nonzero(uniform[:, np.newaxis] >= edges[group], axis=1)
    return index
