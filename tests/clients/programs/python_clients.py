# /// script
# requires-python = ">=3.11"
# dependencies = ["requests==2.34.2", "httpx[http2]==0.28.1", "aiohttp==3.14.5"]
# ///
"""Python's HTTP clients; httpx would speak HTTP/2 where it is offered."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import httpx
import requests

SERVER = sys.argv[1]
ROWS = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
URL = f"{SERVER}/invocations"
HEADERS = {"Content-Type": "text/csv"}


def with_requests() -> list[str]:
    """One connection, kept by a session."""
    with requests.Session() as session:
        return [session.post(URL, data=row, headers=HEADERS).text for row in ROWS]


def with_httpx() -> list[str]:
    """Bodies in pieces, thus chunked."""
    with httpx.Client(http2=True) as client:
        return [
            client.post(URL, content=iter([row.encode()]), headers=HEADERS).text for row in ROWS
        ]


async def with_aiohttp() -> list[str]:
    """All together, with leave to send."""

    async def post(session: aiohttp.ClientSession, row: str) -> str:
        async with session.post(URL, data=row, headers=HEADERS, expect100=True) as answer:
            return await answer.text()

    async with aiohttp.ClientSession() as session:
        return await asyncio.gather(*(post(session, row) for row in ROWS))


found = {
    "requests": with_requests(),
    "httpx": with_httpx(),
    "aiohttp": asyncio.run(with_aiohttp()),
}
json.dump(found, sys.stdout)
