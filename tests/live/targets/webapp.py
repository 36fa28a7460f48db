# SPDX-License-Identifier: MIT
"""A WSGI application, for the servers that embed or fork an interpreter."""


def tick(number):
    return number + 1


def application(environ, start_response):
    body = b"%d\n" % tick(41)
    start_response("200 OK", [("Content-Type", "text/plain"),
                              ("Content-Length", str(len(body)))])
    return [body]
