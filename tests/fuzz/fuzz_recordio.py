"""Fuzzing of application/x-recordio-protobuf; see tests/fuzz/target.py."""

from tests.fuzz.target import fuzz

if __name__ == "__main__":
    fuzz("application/x-recordio-protobuf")
