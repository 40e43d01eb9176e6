"""Write the seeds of each fuzzer: python -m tests.fuzz.seeds.

An input that was a find is kept beside them.
"""

import json
from pathlib import Path

import numpy as np

from tests.serve.encoded import csv, libsvm, npy, parquet, recordio

CORPUS = Path(__file__).parent / "corpus"
MATRIX = np.array([[0.5, np.nan, 3], [1e-5, 2, -7]], np.float32)
ROWS = [{"a": 1.5, "b": "x", "id": "7"}, {"a": None, "b": "y", "id": ""}]

GET = b"GET /ping?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /invocations HTTP/1.1\r\nHost: a:8080\r\nContent-Type: text/csv\r\n"
PLAIN = POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n1,2\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n1,\r\n2\r\n2\n\r\n0\r\nA: b\r\n\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
OLD = b"POST http://a_b/c HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"
LAST = b"OPTIONS * HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n"
CONVERSATION = GET + PLAIN + CHUNKED + OLD + LAST + GET
REQUESTS = [
    b"\x02\x20\x90" + text.replace(b"Content-Type: text/csv\r\n", UPGRADE) + GET
    for text in (PLAIN, CHUNKED, POST + b"\r\n")
]


def seeds() -> dict[str, list[bytes]]:
    """Return some good bodies for each fuzzer; the first byte chooses the parameters."""
    columns = {"a": [1.5, None], "b": ["x", "y"], "id": ["7", ""]}
    tensors = [
        {"name": name, "shape": [2], "datatype": "BYTES", "data": ["x", None]} for name in "ab"
    ]
    return {
        "csv": [
            b"\0" + csv(MATRIX), b"\x07" + csv(MATRIX, header=("b", "a", "id")),
            b"\x0a" + csv(MATRIX, ";"), b'\0a,b\r\n1,"x, ""y""\n"\r\n',
        ],
        "json": [
            b"\0" + json.dumps(body).encode()
            for body in (
                ROWS, {"instances": ROWS}, {"columns": ["a", "b"], "data": [[1, "x"]]},
                {"dataframe_split": {"columns": ["a"], "data": [[1]], "index": [0]}},
                {"features": [[1, 2]]},
            )
        ],
        "json_lines": [
            b"\x07" + "\n".join(map(json.dumps, ROWS)).encode(),
            b'\0{"features": [1, "x"]}\n{"features": [2, null]}\n', b"\0[1,2]\n[3,4]",
        ],
        "libsvm": [b"\0" + libsvm(MATRIX), b"\x070 qid:1 0:1 2:5 # x\n1 qid:1 1:-3e5\n"],
        "parquet": [
            b"\0" + parquet(columns),
            b"\0" + parquet(columns, compression="none", use_dictionary=False),
            b"\0" + parquet(columns, compression="gzip", data_page_version="2.0"),
        ],
        "recordio": [
            b"\0" + recordio(MATRIX, sparse=False), b"\x07" + recordio(MATRIX, sparse=True),
        ],
        "npy": [b"\0" + npy(MATRIX), b"\x07" + npy(np.asfortranarray(MATRIX, ">i8"))],
        "kserve": [json.dumps({"inputs": tensors}).encode()],
        "http": [b"\0" + CONVERSATION, b"\x03\x40\x20\x50" + CONVERSATION, *REQUESTS],
        "model": [bytes([number]) + b"\0\1\2\3" * 4 for number in range(8)],
    }  # fmt: skip


if __name__ == "__main__":
    for name, bodies in seeds().items():
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
        for number, body in enumerate(bodies):
            (CORPUS / name / f"seed-{number}").write_bytes(body)
