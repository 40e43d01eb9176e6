"""What every record that JSON stores shares: a bundle's parts, and what workers tell each other."""

from pydantic import BaseModel, ConfigDict


class StoredRecord(BaseModel):
    """A frozen record; JSON that holds more than its fields is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
