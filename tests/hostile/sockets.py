"""WebSockets: frames that are none, messages that are none, too many of what would be good once."""

from typing import Any

import orjson

from tests.conftest import token
from tests.hostile.attacks import BINARY, CLOSE, PING, PONG, TEXT, Attack, frame, said, subscribe, talk
from tests.hostile.values import IDS, Json

PAYLOAD = {"query": "{ __typename }"}
MINE = "subscription { myGenerationEvents { cursor } }"
THEIRS = "subscription($id: ID!) { generationEvents(id: $id) { cursor generation { prompt } } }"
BATCH = "subscription($id: ID!) { batchUpdated(id: $id) { id generations { prompt } } }"
UPLOAD = "subscription($id: ID!) { uploadUpdated(id: $id) { id url } }"
STRANGE: dict[str, Any] = {"a number": 5, "true": True, "a text": "a", "an array": [1], "null": None, "an object": {}}


def _each(name: str, make: Any) -> list[Attack]:
    return [talk(f"{name}: {what}", make(value)) for what, value in STRANGE.items()]


def _bare(kind: str, **rest: Any) -> Any:
    return {"type": kind, **rest}


def _many(count: int, make: Any) -> bytes:
    return b"".join(said(make(number)) for number in range(count))


def _init(name: str, payload: Any, **headers: str) -> Attack:
    return talk(name, init=payload, **headers)


MANY_HEADERS: Any = {f"X_{number}": "a" for number in range(200)}


MESSAGES = [
    talk("no JSON", said(b"hello")),
    talk("nothing", said(b"")),
    talk("half an object", said(b'{"type": "ping"')),
    talk("two objects", said(b'{"type": "ping"}{"type": "ping"}')),
    talk("a number", said(b"5")),
    talk("a text", said(b'"ping"')),
    talk("null", said(b"null")),
    talk("an array", said(b'[{"type": "ping"}]')),
    talk("not a number", said(b'{"type": "ping", "payload": {"a": NaN}}')),
    talk("half a character", said(b'{"type": "ping", "payload": {"a": "\\ud800"}}')),
    talk("deep arrays", said(b"[" * 100_000)),
    talk("deep and closed", said(b'{"type":"ping","payload":' + b'{"a":' * 1000 + b"1" + b"}" * 1001)),
    talk("deep variables", subscribe("a", "{ __typename }", variables=orjson.loads(b'{"a":' * 100 + b"1" + b"}" * 100))),
    talk("300,000 values", said(b'{"type": "ping", "payload": {"a": [' + b"1," * 300_000 + b"1]}}")),
    talk("a message of 900,000 characters", said({"type": "ping", "payload": {"a": "a" * 900_000}})),
    talk("a message of two megabytes", said({"type": "ping", "payload": {"a": "a" * 2_000_000}})),
    talk("an unknown type", _bare("start", id="a", payload=PAYLOAD)),
    talk("a type of 100,000 characters", _bare("a" * 100_000)),
    talk("a type of the server's", _bare("connection_ack")),
    talk("an answer of the server's", _bare("next", id="a", payload={"data": None})),
    talk("an error of the server's", _bare("error", id="a", payload=[])),
    *_each("type", lambda value: {"type": value}),
    *_each("id", lambda value: {"id": value, "type": "subscribe", "payload": PAYLOAD}),
    *_each("payload", lambda value: {"id": "a", "type": "subscribe", "payload": value}),
    *_each("query", lambda value: subscribe("a", value)),
    *_each("variables", lambda value: subscribe("a", "{ __typename }", variables=value)),
    *_each("extensions", lambda value: subscribe("a", "{ __typename }", extensions=value)),
    *_each("operationName", lambda value: subscribe("a", "{ __typename }", operationName=value)),
    *_each("documentId", lambda value: {"id": "a", "type": "subscribe", "payload": {"documentId": value}}),
    *_each("completed id", lambda value: {"id": value, "type": "complete"}),
    *_each("payload of a ping", lambda value: {"type": "ping", "payload": value}),
    talk("an id of 100,000 characters", subscribe("a" * 100_000, "{ __typename }")),
    talk("an id of a null byte", subscribe("\0", "{ __typename }")),
    talk("a document of 900,000 characters", subscribe("a", "{" + "a " * 450_000 + "}")),
    talk("a document that is none", subscribe("a", "{")),
    talk("a schema for a document", subscribe("a", "type A { a: Int }")),
    talk("a mutation and a subscription", subscribe("a", "mutation a { __typename } " + MINE)),
    talk("a mutation", subscribe("a", "mutation { deleteAccount(confirm: \"no\") { deletedId errors { message } } }")),
    talk("fragments that double", subscribe("a", "{ ...a0 }" + "".join(f"fragment a{n} on Query {{ ...a{n + 1} ...a{n + 1} }}" for n in range(40)) + "fragment a40 on Query { __typename }")),
    talk("a cursor that is none", subscribe("a", 'subscription { myGenerationEvents(after: "nonsense") { cursor } }')),
    talk("a cursor of 40,000 characters", subscribe("a", f'subscription {{ myGenerationEvents(after: "{"A" * 40_000}") {{ cursor }} }}')),
    talk("a cursor after the last", subscribe("a", f'subscription {{ myGenerationEvents(after: "{"9" * 30}") {{ cursor }} }}')),
    talk("a cursor of a null byte", subscribe("a", 'subscription { myGenerationEvents(after: "\\u0000") { cursor } }')),
    *[
        talk(f"{name}: {what}", subscribe("a", query, variables={"id": value}))
        for name, query in {"a generation": THEIRS, "a batch": BATCH, "an upload": UPLOAD}.items()
        for what, value in IDS.items()
        if not isinstance(value, Json)
    ],
]  # fmt: skip

FRAMES = [
    talk("bytes", frame(BINARY, b'{"type": "ping"}')),
    talk("no UTF-8", frame(TEXT, b"\xff\xfe\xfd")),
    talk("an opcode that is none", frame(3, b"a")),
    talk("a reserved bit", frame(TEXT, b"{}", reserved=0x40)),
    talk("no mask", frame(TEXT, b'{"type": "ping"}', masked=False)),
    talk("a continuation of nothing", frame(0, b"a")),
    talk("a beginning within a beginning", frame(TEXT, b"{", last=False) + frame(TEXT, b"{", last=False)),
    talk("a ping in pieces", frame(PING, b"a", last=False)),
    talk("a ping that is too long", frame(PING, b"a" * 1000)),
    talk("a close without a code", frame(CLOSE)),
    talk("half a code", frame(CLOSE, b"\x03")),
    talk("a code that is none", frame(CLOSE, b"\x00\x05")),
    talk("a code of the server's", frame(CLOSE, b"\x03\xee")),
    talk("a reason that is no UTF-8", frame(CLOSE, b"\x03\xe8\xff\xfe")),
    talk("talk after a close", frame(CLOSE, b"\x03\xe8") + said({"type": "ping"}) * 100),
    talk("as long as nothing can be", b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"\0" * 100),
    talk("a length below nothing", b"\x81\xff" + b"\xff" * 8 + b"\0" * 100),
    talk("a megabyte in pieces of one byte", frame(TEXT, b"a", last=False) + frame(0, b"a", last=False) * 100_000),
    talk("pieces of nothing", frame(TEXT, b"", last=False) + frame(0, last=False) * 100_000),
    talk("10,000 pings of the wire", frame(PING, b"a") * 10_000),
    talk("10,000 pongs that nobody asked for", frame(PONG, b"a") * 10_000),
    talk("bytes without an end", bytes(100_000)),
    talk("HTTP", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 10),
]

FLOODS = [
    talk("connection_init twice", _bare("connection_init")),
    talk("connection_init 1,000 times", _many(1000, lambda _: _bare("connection_init"))),
    talk("an operation first", subscribe("a", "{ __typename }"), init=None),
    talk("another's generation first", subscribe("a", THEIRS, variables={"id": IDS["another's Generation"]}), init=None),
    talk("a completion first", {"id": "a", "type": "complete"}, init=None),
    talk("a ping first", {"type": "ping"}, init=None),
    talk("an id twice", subscribe("a", MINE), subscribe("a", MINE)),
    talk("150 pings", _many(150, lambda _: _bare("ping"))),
    talk("150 pings with a load", _many(150, lambda _: _bare("ping", payload={"a": "a" * 2000}))),
    talk("150 pongs", _many(150, lambda _: _bare("pong"))),
    talk("150 completions of nothing", _many(150, lambda n: {"id": str(n), "type": "complete"})),
    talk("60 streams", _many(60, lambda n: subscribe(str(n), MINE))),
    talk("150 documents that are none", _many(150, lambda n: subscribe(str(n), "{ nope }"))),
    talk("20 streams, each given up at once", b"".join(said(subscribe(str(n), MINE)) + said({"id": str(n), "type": "complete"}) for n in range(20))),
    talk("an id again and again", b"".join(said(subscribe("a", "{ __typename }")) + said({"id": "a", "type": "complete"}) for _ in range(30))),
]  # fmt: skip

GREETINGS = [
    _init("a token of a number", {"Authorization": 5}),
    _init("a token of an object", {"Authorization": {"Bearer": "a"}}),
    _init("a token of an array", {"Authorization": ["Bearer a"]}),
    _init("a token of nothing", {"Authorization": ""}),
    _init("a token that is none", {"Authorization": "Bearer a.b.c"}),
    _init("a token of 900,000 characters", {"Authorization": "Bearer " + "a" * 900_000}),
    _init("a token of a null byte", {"Authorization": "Bearer a\0b"}),
    _init("a token of another secret", {"Authorization": f"Bearer {token('a', secret='another secret')}"}),
    _init("an expired token", {"Authorization": f"Bearer {token('a', ttl_seconds=-99)}"}),
    _init("two tokens", {"Authorization": "Bearer a", "authorization": "Bearer b"}),
    _init("10,000 tokens", {f"a{n}": "Bearer a" for n in range(10_000)}),
    _init("an array for a greeting", []),
    _init("a text for a greeting", "Bearer a"),
    _init("a number for a greeting", 5),
    _init("a token that is none in the head", {}, Authorization="Bearer a.b.c"),
]

UPGRADES = [
    talk("from another site", Origin="https://evil.example"),
    talk("from nowhere", Origin="null"),
    talk("from many", Origin="https://a.example, https://b.example"),
    talk("of another name", Host="evil.example"),
    talk("no protocol", Sec_WebSocket_Protocol=""),
    talk("another protocol", Sec_WebSocket_Protocol="graphql-ws"),
    talk("1,000 protocols", Sec_WebSocket_Protocol=", ".join(f"p{n}" for n in range(1000))),
    talk("a protocol with a blank", Sec_WebSocket_Protocol="graphql transport ws"),
    talk("no version", Sec_WebSocket_Version=""),
    talk("another version", Sec_WebSocket_Version="7"),
    talk("no key", Sec_WebSocket_Key=""),
    talk("a key that is none", Sec_WebSocket_Key="a"),
    talk("a key of 5,000 characters", Sec_WebSocket_Key="a" * 5000),
    talk("compression of the least", Sec_WebSocket_Extensions="permessage-deflate; server_max_window_bits=1"),
    talk("extensions that are none", Sec_WebSocket_Extensions=";;;==,,"),
    talk("by POST", __method="POST"),
    talk("with a body", Content_Length="5"),
    talk("in chunks", Transfer_Encoding="chunked"),
    talk("a path of nothing", __path="/"),
    talk("a path of pictures", __path="/i/a/full"),
    talk("a path above", __path="/graphql/../../etc/passwd"),
    talk("a path that is no ASCII", __path="/graphql?a=\xff\xfe"),
    talk("a path of 30,000 characters", __path="/graphql?" + "a" * 30_000),
    talk("a header of 20,000 characters", X_A="a" * 20_000),
    talk("200 headers", **MANY_HEADERS),
    talk("a header that is no ASCII", X_A="\xff\xfe"),
    talk("a header with a null byte", X_A="a\0b"),
]

REQUESTS: list[Attack] = [*MESSAGES, *FRAMES, *FLOODS, *GREETINGS, *UPGRADES]
