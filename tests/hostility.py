"""Hostile requests, as bytes on a socket; every third of them validly signed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Final

from tests.edges import ACCOUNT, GATEWAY, JWT_SECRET, SECRET, order, signed

STAMPS: Final = (
    "1",
    "-1",
    "1e9",
    "99999999999999999999",
    '"9999-12-31T23:59:59Z"',
    '"0001-01-01T00:00:00+23:59"',
    '"é"',
    '" "',
    '"2024-13-45T99:99:99Z"',
    "1705314600.5",
    '"NaN"',
    '"99999999999999"',
    '"0000000000"',
    '"\\ud83d\\ude00"',
)

Make = Callable[[Random], bytes]


def is_cut(request: bytes) -> bool:
    """Whether the sender closes its side amid the body; others that end early just fall silent."""
    return request == UNFINISHED


def hostile(number: int, *, seed: int) -> Iterator[tuple[bool, bytes]]:
    """So many requests: whether one is validly signed, and all its bytes."""
    random = Random(seed)
    for n in range(number):
        if n % 3 == 0:
            yield True, _request(random, random.choice(SIGNED)(random))
        else:
            kind = random.choice([*UNSIGNED, *WHOLE])
            made = kind(random)
            yield False, made if kind in WHOLE else _request(random, made)


def _request(random: Random, body: bytes) -> bytes:
    head = f"POST /webhooks/{GATEWAY} HTTP/1.1\r\nHost: x\r\nContent-Type: {random.choice(TYPES)}\r\n"
    if random.random() < 0.2:
        pieces = [body[i : i + 997] for i in range(0, len(body), 997)] if body else []
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


TYPES = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "\xff",
)


def _sign(inner: str, *, stamp: str | None = None) -> bytes:
    """A body whose signed parts are right, whatever else is in it; `stamp` is a JSON token."""
    text = json.dumps(datetime.now(UTC).isoformat()) if stamp is None else stamp
    value = json.loads(text)
    message = f"{value if isinstance(value, str) else text}{ACCOUNT}".encode("utf-8", "surrogatepass")
    checksum = hmac.digest(SECRET.encode(), message, "sha256").hex()
    tail = f'"smallcaseAuthId":"{ACCOUNT}","timestamp":{text},"checksum":"{checksum}"}}'
    return f"{{{inner}{',' if inner else ''}{tail}".encode("utf-8", "surrogatepass")


def _orders(random: Random, more: str) -> bytes:
    number = random.getrandbits(64)
    return _sign(f'"batchId":"{number:024x}","transactionId":"TRX_{number:032x}",{more}')


SIGNED: list[Make] = [
    lambda r: _orders(r, f'"orders":{"[" * (d := r.choice([30, 31, 32, 900, 50_000]))}{"]" * d}'),
    lambda r: _orders(r, '"x":' + '{"a":' * (d := r.choice([30, 900, 20_000])) + "1" + "}" * d),
    lambda r: _orders(r, f'"filled":{"9" * r.choice([39, 41, 5000, 500_000])}'),
    lambda r: _orders(r, f'"filled":{r.choice(["1e999999999", "-0", "1E-400", "0.1e+5", "-1.5e308"])}'),
    lambda r: _orders(r, '"orders":[' + ",".join(["{}"] * 100_000) + "]"),
    lambda r: _orders(r, '"orders":[' + ",".join(['{"quantity":1,"side":"BUY"}'] * 30_000) + "]"),
    lambda r: _orders(r, f'"status":{r.choice(["null", "[]", "7", "{}", "true"])},"orders":"text"'),
    lambda r: _orders(r, r'"notes":"a\u0000b"'),
    lambda r: _orders(r, r'"notes":"\ud800"'),
    lambda r: _orders(r, r'"\udfff":[1,"\ud83d\ude00"]'),
    lambda r: _orders(r, '"notes":"\ud800"'),
    lambda r: _orders(r, '"a":1,"a":2'),
    lambda r: _orders(r, '"o":{"a":1,"\\u0061":2}'),
    lambda r: _orders(r, f'"a":{r.choice(["NaN", "Infinity", "-Infinity", "nan", "01", "+1", ".5", "1."])}'),
    lambda r: _orders(r, f'"notes":"{"x" * r.choice([900_000, 1_100_000])}"'),
    lambda r: _orders(r, f'"notes":"{SECRET}"'),
    lambda r: _sign('"batchId":' + r.choice(["7", "[]", "null", '""', '"é"', f'"{"a" * 5000}"'])),
    lambda r: _sign('"orders":[],"transactionId":' + r.choice(["{}", '"TRX_"', f'"TRX_{"g" * 32}"'])),
    lambda r: _sign(f'"n{r.getrandbits(40)}":1'),
    lambda r: _sign(f'"orders":[],"securities":{{}},"summary":{r.getrandbits(40)}'),
    lambda r: _sign('"gateway":"g","data":' + r.choice(["1", "[]", '{"transactionId":7}'])),
    lambda r: _sign(f'"orders":[{r.getrandbits(40)}]', stamp=r.choice(STAMPS)),
    lambda r: _sign(f'"orders":[{r.getrandbits(40)}]', stamp=r.choice(STAMPS)).replace(b'"hex', b""),
]


def _odd_checksum(random: Random) -> bytes:
    content = signed(order(random.getrandbits(60)))
    good = str(content["checksum"])
    odd: object = random.choice(
        [None, 7, [], {}, "", good.upper(), good[:-1], good + "0", "é" * 64, "0" * 64, [good], True, "\ud800"],
    )
    return json.dumps({**content, "checksum": odd}).encode()


def _odd_field(random: Random) -> bytes:
    content = signed(order(random.getrandbits(60)))
    name = random.choice(["timestamp", "smallcaseAuthId", "transactionId", "batchId", "checksum"])
    if random.random() < 0.3:
        del content[name]
    else:
        content[name] = random.choice([None, 0, [], {}, "", "x" * 100_000, True, -1e300, "\0", ["a"]])
    return json.dumps(content).encode()


def _mutated(random: Random) -> bytes:
    body = bytearray(json.dumps(signed(order(random.getrandbits(60)))).encode())
    for _ in range(random.randrange(1, 6)):
        body[random.randrange(len(body))] = random.randrange(256)
    return bytes(body)


UNSIGNED: list[Make] = [
    _odd_checksum,
    _odd_field,
    _mutated,
    lambda r: r.randbytes(r.choice([0, 1, 100, 5000])),
    lambda r: b"[" * r.choice([10, 100_000, 1_000_000]),
    lambda r: b'{"a":' * r.choice([10, 100_000]),
    lambda r: b"9" * r.choice([10, 5000, 900_000]),
    lambda r: b'"' + b'\\"' * r.choice([10, 400_000]),
    lambda _: b"\xff\xfe{}",
    lambda _: json.dumps(order()).encode("utf-16"),
    lambda _: b"\xed\xa0\x80",
    lambda r: r.choice([b"null", b"true", b"{}", b"[]", b'"x"', b"{}{}", b" ", b"\0", b"\xef\xbb\xbf{}"]),
    lambda r: b" " * r.choice([1 << 20, (1 << 20) + 1, 3 << 20]),
    lambda _: f"{{ {SECRET} {JWT_SECRET}".encode(),
    lambda _: b"a=b&c=d",
]

_HEAD = f"POST /webhooks/{GATEWAY} HTTP/1.1\r\nHost: x\r\n".encode()

UNFINISHED = _HEAD + b"Content-Length: 1000\r\n\r\n{"
ENDLESS = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n" + b"a" * 0x10000 + b"\r\n"


def _encoded(random: Random) -> bytes:
    body = json.dumps(signed(order(random.getrandbits(60)))).encode()
    return (
        _HEAD
        + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (random.choice([b"gzip", b"br", b"x"]), len(body))
        + body
    )


WHOLE: list[Make] = [
    _encoded,
    lambda _: UNFINISHED,
    lambda _: _HEAD + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    lambda _: _HEAD + b"Content-Length: -1\r\n\r\n{}",
    lambda _: _HEAD + b"Content-Length: 5\r\nContent-Length: 2\r\n\r\n{}",
    lambda _: ENDLESS,
    lambda _: _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"a" * 0x10000 + b"\r\n") * 17,
    lambda _: _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    lambda _: _HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    lambda r: (
        _HEAD + b"X-Request-Id: " + b"a" * r.choice([20_000, 100_000, 500_000]) + b"\r\nContent-Length: 2\r\n\r\n{}"
    ),
    lambda _: _HEAD + b"X-Forwarded-For: \xff\xfe\r\n" * 200 + b"Content-Length: 2\r\n\r\n{}",
    lambda _: (
        _HEAD + f"Authorization: Bearer {SECRET}\r\nUser-Agent: {JWT_SECRET}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    ),
    lambda _: b"POST /webhooks/%00%ff HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    lambda _: b"POST /webhooks/" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    lambda _: b"POST /webhooks/../etc HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    lambda _: b"DELETE /webhooks/acme HTTP/1.1\r\nHost: x\r\n\r\n",
    lambda _: b"\x16\x03\x01\x02\x00\x01\x00",
]
