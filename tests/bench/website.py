# SPDX-License-Identifier: MIT
"""A small web site made with Flask, served by threads of this process."""
import logging
import threading

from flask import Flask, jsonify, render_template_string
from werkzeug.serving import make_server

APP = Flask(__name__)
PAGE = "<ul>{% for item in items %}<li>{{ item.name }}</li>{% endfor %}</ul>"


def never(number):
    return number


def basket(number):
    items = [{"name": "item %d" % n, "price": n * 0.5} for n in range(number)]
    total = sum(item["price"] for item in items)
    return items, total


@APP.route("/basket/<int:number>")
def show(number):
    items, total = basket(number)
    return jsonify(total=total, page=render_template_string(PAGE, items=items))


def serve():
    """Starts it; the port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, APP, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
