# SPDX-License-Identifier: MIT
"""What is withheld of values, by name, by type, and by what a text says."""
import collections
import json

import inside

SECRET = "s3cr3t-Zq81"
CARD = 4111111111111111


def show(value):
    return value


def everything(agent, function, *args, **spec):
    """The text of the records of one call."""
    probe = agent.add(module=__name__, function=function.__name__, depth=0,
                      **spec)["probe"]
    try:
        function(*args)
    except Exception:
        pass
    text = "".join(text for _, _, text in agent.raw())
    assert agent.remove(probe)["captures"] == 1
    inside.check_json(text)
    return text


def seen(agent, value, **spec):
    return json.loads(everything(agent, show, value, **spec))["args"]["value"]


def hidden(kind="str", reason="name"):
    return {"$type": kind, "$redacted": reason}


def places(password, user, *rest, api_key="k", **headers):
    db_passwd = password
    accessToken = [password]
    session_cookie = {"a": password}
    nested = {"user": {"Password": password, b"X-Auth-Token": password},
              "x": [("Authorization", password), (b"cookie", password)],
              "argv": ["prog", "--password", password, "-v"],
              ("client-secret",)[0]: password}
    deep = [[[["Set-Cookie", password]]]]
    by_number = {1: {"pin": password}, "cvv": password.encode()}

    def get_password():
        # A cell of places() that is a free variable here.
        return password + str(db_passwd)
    return {"secret_key": get_password(), "ok": 1, "SSN": int(CARD),
            "private-key": bytearray(password.encode()),
            "kept": [accessToken is None, session_cookie is None,
                     nested is None, deep is None, by_number is None]}


def check_places(agent):
    """A secret in 20 places is nowhere in the records."""
    def run():
        places(SECRET, "ann", api_key=SECRET, **{
            "cookie": SECRET, "proxy_authorization": SECRET,
            "refresh_token": SECRET})
    probe = agent.add(module=__name__, function="places*", depth=0)["probe"]
    rounds = 50000
    for _ in range(rounds):
        run()
        text = "".join(text for _, _, text in agent.raw())
        assert SECRET not in text and str(CARD) not in text, text
        assert "czNjcjN0" not in text        # base64 of it
        for line in text.split("}{"):
            assert "\"$redacted\":\"name\"" in line
    assert "\"user\":\"ann\"" in text and "\"prog\"" in text
    assert agent.remove(probe)["captures"] == 2 * rounds


def check_names(agent):
    for name in ("password", "PassWord", "db_passwd", "X-API-Key", "apiKey",
                 "Authorization", "Set-Cookie", "ssn", "credit_card_number",
                 "CVV", "access_token", "JWT", "pin", "sessionid", "IBAN"):
        assert seen(agent, {name: "x"}) == {name: hidden()}, name
    for name in ("passenger", "tokenizer", "key", "author", "spin", "pins",
                 "compass", "session", "monkey", "address", "id"):
        assert seen(agent, {name: "x"}) == {name: "x"}, name


def check_what_is_shown(agent):
    """None and the booleans say nothing; the type is always told."""
    assert seen(agent, {"password": None, "token": True, "pin": False}) == {
        "password": None, "token": True, "pin": False}
    assert seen(agent, {"password": 5, "token": (1,), "pin": {}}) == {
        "password": hidden("int"), "token": hidden("tuple"),
        "pin": hidden("dict")}
    assert seen(agent, {b"password": "x"})["$pairs"][0][1] == hidden()
    assert seen(agent, ("password", "x"))["$items"] == ["password", hidden()]
    assert seen(agent, ["password", "x", "y"]) == ["password", "x", "y"]


def check_lists(agent):
    """--redact and --no-redact"""
    value = {"password": "x", "customer_name": "y", "other": "z"}
    assert seen(agent, value, redact="Customer-*, nothing") == {
        "password": hidden(), "customer_name": hidden(), "other": "z"}
    assert seen(agent, value, no_redact="pass-word") == value
    assert seen(agent, value, no_redact="*", redact="other") == value
    assert "\"value\":{\"$type\":\"int\",\"$redacted\":\"name\"}" in \
        everything(agent, show, 5, redact="value")


def check_types(agent):
    value = [collections.OrderedDict(a=SECRET), {1.5}]
    assert seen(agent, value, redact="type:collections.*,type:float") == [
        hidden("collections.OrderedDict", "type"),
        {"$type": "set", "$items": [hidden("float", "type")]}]


def fails(value):
    raise ValueError("refused: card 4111 1111 1111 1111")


def check_strict(agent):
    for text, reason in (
            ("Authorization: Bearer abcdef0123456789", "name"),
            ("bearer abcdef0123456789", "token"),
            ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc", "token"),
            ("AKIAIOSFODNN7EXAMPLE", "token"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private-key"),
            ("card 4111-1111-1111-1111.", "card"),
            ("5500005555555559", "card"), ("378282246310005", "card"),
            ("http://ann:pass@host/", "url"), ("a=1&password=x", "name"),
            ("{\"password\": \"x\"}", "name"), ("Cookie: a=b", "name")):
        assert seen(agent, text, strict=1) == hidden("str", reason), text
        assert seen(agent, text) == text
        assert seen(agent, [text.encode()], strict=1) == [
            hidden("bytes", reason)], text
        assert seen(agent, {text: 1}, strict=1)["$pairs"][0][0] == \
            hidden("str", reason)
    assert seen(agent, CARD, strict=1) == hidden("int", "card")
    for value in ("4111111111111112", "bearer of news", "a=1&b=2",
                  "http://host:80/x", "1700000000123456789", "basic x",
                  4111111111111112, "12:30:15", "-----BEGIN CERTIFICATE"):
        assert seen(agent, value, strict=1) == value, value
    # What is cut in the middle of a secret is withheld as well.
    assert seen(agent, "card 4111111111111111", strict=1,
                string=16) == hidden("str", "card")
    text = everything(agent, fails, 1, strict=1)
    assert "4111" not in text and "<redacted: card>" in text


def logs_in(password, headers, user):
    return user


def check_logs(agent):
    """What a part of a log is called by decides, as for a variable."""
    template = ("{user} {password} {password!r:>9} {headers['Cookie']} "
                "{headers['x']} {user.token} {{password}} {len(password)}")
    user = collections.namedtuple("User", "name token")("ann", None)
    for limits, shown in (({}, False), ({"no_redact": "*"}, True)):
        probe = agent.add(module=__name__, function="logs_in", kind=2,
                          actions=[("log", template), ("eval", "password")],
                          **limits)["probe"]
        logs_in(SECRET, {"Cookie": SECRET, "x": "y"}, user)
        ((_, _, text),) = agent.raw()
        agent.remove(probe)
        assert (SECRET in text) is shown, text
        (log,) = json.loads(text)["log"]
        assert log.startswith("User(name='ann', token=None) "), log
        if not shown:
            assert log.endswith("y None {password} %d" % len(SECRET)), log
            assert log.count("<redacted: name>") == 3, log


class Holder:
    def __init__(self):
        self.token, self.name = SECRET, "n"
        self.inner = {"token": [SECRET], "it": {"pin": SECRET}}


def evaluates(users, at):
    return at


def check_expressions(agent):
    """A name at the end of an expression is its value's."""
    hides = ["users[0].token", "users[at].token", "users[0].inner['token']",
             "users[0].inner[\"token\"]", "users[0].inner[ 'token' ]",
             "users[0].inner['it']['pin']", "users[:1][0].token",
             " users[0].token "]
    shows = ["users[0].name", "users[0].token[0]", "users[0].token + 'x'",
             "len(users[0].token)", "users[0].inner['it']['pin'][1]"]
    for text in hides + shows:
        probe = agent.add(module=__name__, function="evaluates", kind=2,
                          actions=[("eval", text), ("log", "{%s}" % text)])
        evaluates([Holder()], 0)
        record = agent.wait(kind="hit")[0]
        agent.remove(probe["probe"])
        withheld = text in hides
        assert ("$redacted" in str(record["eval"])) is withheld, record
        assert (record["log"] == ["<redacted: name>"]) is withheld, record


if __name__ == "__main__":
    inside.main(globals())
