# SPDX-License-Identifier: MIT
"""One secret in every place that has a name, and in none that has not."""
import collections
import dataclasses
import threading

SECRET = "s3cr3t-Zq81-hunter2"
API_KEY = SECRET
GO_ON = threading.Event()
User = collections.namedtuple("User", "name password")


@dataclasses.dataclass
class Login:
    user: str
    passwd: str


class Session:
    def __init__(self, token):
        self.user, self.access_token = "ann", token


class Slots:
    __slots__ = ("name", "private_key")

    def __init__(self, private_key):
        self.name, self.private_key = "slots", private_key


class Refused(Exception):
    """What an exception is made with has no name: only attributes have."""

    @classmethod
    def of(cls, secret):
        made = cls("refused")
        made.client_secret = secret
        return made


def get_token(user):
    return SECRET


def tokens(count):
    """A generator whose own name does not say it: what it hands out does."""
    for _ in range(count):
        yield {"token": SECRET}


def fails(password):
    raise Refused.of(password)


def serve(password, user, *rest, api_key=None, **headers):
    db_password = password
    accessToken = [password]
    cookies = {"session": password}
    nested = {"user": {"Password": password, b"X-Auth-Token": password},
              "headers": [("Authorization", password), [b"cookie", password]],
              "argv": ["prog", "--password", password, "-v"],
              "by": {1: {"pin": password}, "cvv": password.encode()}}
    objects = [Session(password), Slots(password), User("ann", password),
               Login("ann", password), Refused.of(password)]
    deep = [[[["Set-Cookie", password]]]]

    def credentials():
        return password + str(db_password)
    try:
        fails(credentials())
    except Refused as error:
        kept = error
    found = [list(tokens(1)), {"token": get_token(user)}, objects, nested,
             deep, {"cookies": cookies, "access-token": accessToken}, kept]
    return wait({"ok": len(found), "secret_key": password})


def wait(answer):
    GO_ON.wait(0 if answer["ok"] else 30)
    return answer


def burst(count):
    GO_ON.set()
    for _ in range(count):
        serve(SECRET, "ann", api_key=SECRET, cookie=SECRET,
              proxy_authorization=SECRET)
    return count


def hold():
    """The same, and stays in it."""
    GO_ON.clear()

    def body():
        nested = {"headers": [("Authorization", SECRET)],
                  "login": {"password": SECRET, b"token": SECRET},
                  "argv": ["prog", "--password", SECRET]}
        password, ssn = SECRET, SECRET
        GO_ON.wait(60)
        return len(nested) + len(password) + len(ssn)
    threading.Thread(target=body, name="holder", daemon=True).start()
    return True


def let_go():
    GO_ON.set()
