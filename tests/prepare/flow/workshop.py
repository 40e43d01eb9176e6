"""Tables and flows as in AWS's fraud workshop: its columns, its steps in their order."""

import random

from tests.prepare.flow.flows import (
    LOWER,
    NOW,
    Node,
    cast,
    drop,
    infer,
    one_hot,
    ordinal,
    pandas,
    remove_symbols,
)

CLAIMS = {
    "policy_id": "long", "driver_relationship": "string", "incident_type": "string",
    "collision_type": "string", "incident_severity": "string", "authorities_contacted": "string",
    "num_vehicles_involved": "long", "num_injuries": "long", "num_witnesses": "long",
    "police_report_available": "string", "injury_claim": "long", "vehicle_claim": "long",
    "total_claim_amount": "long", "incident_month": "long", "incident_day": "long",
    "incident_dow": "long", "incident_hour": "long", "fraud": "long",
}  # fmt: skip
CUSTOMERS = {
    "policy_id": "long", "customer_age": "long", "customer_gender": "string",
    "customer_zip": "long", "customer_education": "string", "months_as_customer": "long",
    "policy_state": "string", "policy_deductable": "long", "policy_annual_premium": "long",
    "policy_liability": "string", "auto_year": "long", "num_claims_past_year": "long",
    "num_insurers_past_5_years": "long",
}  # fmt: skip
WORDS = {
    "driver_relationship": ("Self", "N/A", "Spouse", "Child", "Other"),
    "incident_type": ("Collision", "Break-in", "Theft"),
    "collision_type": ("Front", "Rear", "Side", "N/A"),
    "incident_severity": ("Minor", "Major", "Totaled"),
    "authorities_contacted": ("Police", "None", "Fire", "Ambulance"),
    "police_report_available": ("No", "Yes"),
    "customer_gender": ("Male", "Female", "Unkown", "Other"),
    "customer_education": ("Below High School", "High School", "Associate", "Bachelor",
                           "Advanced Degree"),
    "policy_state": ("CA", "WA", "AZ", "OR", "NV", "ID"),
    "policy_liability": ("15/30", "25/50", "30/60", "100/200"),
}  # fmt: skip

# The header lines of AWS's claims_preprocessed.csv and customers_preprocessed.csv.
CLAIMS_AFTER = """
policy_id,incident_severity,num_vehicles_involved,num_injuries,num_witnesses,
police_report_available,injury_claim,vehicle_claim,total_claim_amount,incident_month,
incident_day,incident_dow,incident_hour,fraud,driver_relationship_self,
driver_relationship_na,driver_relationship_spouse,driver_relationship_child,
driver_relationship_other,incident_type_collision,incident_type_breakin,
incident_type_theft,collision_type_front,collision_type_rear,collision_type_side,
collision_type_na,authorities_contacted_police,authorities_contacted_none,
authorities_contacted_fire,authorities_contacted_ambulance
""".replace("\n", "").split(",")
CUSTOMERS_AFTER = """
policy_id,customer_age,customer_education,months_as_customer,policy_deductable,
policy_annual_premium,policy_liability,auto_year,num_claims_past_year,
num_insurers_past_5_years,customer_gender_male,customer_gender_female,policy_state_ca,
policy_state_wa,policy_state_az,policy_state_or,policy_state_nv,policy_state_id
""".replace("\n", "").split(",")

EDUCATION = """educ_dict = {
'below high school': 0,
'high school': 1,
'associate': 2,
'bachelor': 3,
'advanced degree': 4
}
df['customer_education'] = df['customer_education'].replace(educ_dict)
"""
LIABILITY = """liability_dict = {'15/30': 0, '25/50': 1, '30/60': 2, '100/200': 3}
df['policy_liability'] = df['policy_liability'].replace(liability_dict)
"""

_ONE_HOTS = {
    "driver_relationship": ("self", "na", "spouse", "child", "other"),
    "incident_type": ("collision", "breakin", "theft"),
    "collision_type": ("front", "rear", "side", "na"),
    "authorities_contacted": ("police", "none", "fire", "ambulance"),
}
_STATES = ("ca", "wa", "az", "or", "nv", "id")
_AMOUNTS = ("total_claim_amount", "vehicle_claim", "injury_claim")


def claims_steps() -> list[Node]:
    """Return the 33 steps of the flow for claims."""
    made = [f"{column}_{name}" for column, names in _ONE_HOTS.items() for name in names]
    return [
        infer(**CLAIMS),
        pandas(LOWER),
        *map(remove_symbols, ("driver_relationship", "collision_type", "incident_type")),
        *(one_hot(column, *names) for column, names in _ONE_HOTS.items()),
        ordinal("incident_severity", "minor", "major", "totaled"),
        ordinal("police_report_available", "no", "yes"),
        pandas(NOW),
        *(cast(column, "long") for column in (*made, "incident_severity")),
        cast("police_report_available", "long"),
        *(cast(column, "float") for column in _AMOUNTS),
    ]


def customers_steps() -> list[Node]:
    """Return the 20 steps of the flow for customers, whose state has two of four genders."""
    genders = [f"customer_gender_{name}" for name in ("male", "female", "unkown", "other")]
    return [
        infer(**CUSTOMERS),
        pandas(LOWER),
        drop("customer_zip"),
        one_hot("customer_gender", "male", "female"),
        one_hot("policy_state", *_STATES),
        pandas(EDUCATION),
        pandas(LIABILITY),
        *(cast(column, "long") for column in genders),
        *(cast(f"policy_state_{name}", "long") for name in _STATES),
        pandas(NOW),
        drop("customer_gender_unkown"),
        drop("customer_gender_other"),
    ]


def table(schema: dict[str, str], rows: int, reverse: bool = False) -> str:
    """Return a raw table as CSV: every word at least once, amounts with cents."""
    draw = random.Random(7)
    columns = [*reversed(schema)] if reverse else [*schema]
    lines = [",".join(columns)]
    for row in range(rows):
        cells = []
        for column in columns:
            words = WORDS.get(column)
            value = str(draw.randint(1, 90)) if words is None else words[row % len(words)]
            if column == "policy_id":
                value = str(row)
            if column == "fraud":
                value = str(row % 2)
            cells.append(f"{value}.67" if column in _AMOUNTS[1:2] else value)
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"
