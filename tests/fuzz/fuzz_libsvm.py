"""Fuzzing of text/libsvm; see tests/fuzz/target.py."""

from tests.fuzz.target import fuzz

if __name__ == "__main__":
    fuzz("text/libsvm")
