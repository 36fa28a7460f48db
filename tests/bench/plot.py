# SPDX-License-Identifier: MIT
"""Bars and curves as SVG, without a library."""
import html
import math

WIDTH, LEFT, RIGHT, TOP, BAR = 760, 190, 90, 40, 16
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#718096",
           "#975a16", "#285e61")


def text(x, y, words, anchor="start", size=12):
    return '<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s">%s</text>' % (
        x, y, size, anchor, html.escape(str(words)))


def page(height, parts):
    return "\n".join(
        ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
         'font-family="sans-serif">' % (WIDTH, height),
         '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"])


def nice(value):
    return "%.3g" % value if abs(value) < 1000 else "{:,.0f}".format(value)


def bars(title, groups, logarithmic=False):
    """groups: {group: {series: value}}; one bar for each value."""
    values = [value for row in groups.values() for value in row.values()
              if value is not None and value > 0]
    if not values:
        return None
    series = sorted({name for row in groups.values() for name in row},
                    key=lambda name: (not name.startswith("nopdb"), name))
    most, least = max(values), min(min(values), 1.0)

    def length(value):
        room = WIDTH - LEFT - RIGHT
        if value <= 0:
            return 0
        if logarithmic:
            return room * math.log(value / least * 1.5) / math.log(
                most / least * 1.5)
        return room * value / most
    parts, y = [text(10, 22, title, size=15)], TOP
    for group, row in groups.items():
        parts.append(text(10, y + BAR, group))
        for name in series:
            if row.get(name) is None:
                continue
            colour = COLOURS[series.index(name) % len(COLOURS)]
            parts.append('<rect x="%d" y="%d" width="%.1f" height="%d" '
                         'fill="%s"/>' % (LEFT, y + 3, max(
                             length(row[name]), 1), BAR - 4, colour))
            parts.append(text(LEFT - 6, y + BAR - 3, name, "end", 11))
            parts.append(text(LEFT + length(row[name]) + 6, y + BAR - 3,
                              nice(row[name]), size=11))
            y += BAR
        y += 10
    return page(y + 10, parts)


def curves(title, lines, unit):
    """lines: {name: {x: y}}, both axes logarithmic."""
    points = [(x, y) for row in lines.values() for x, y in row.items()
              if y and y > 0]
    if not points:
        return None
    x_least, x_most = min(p[0] for p in points), max(p[0] for p in points)
    y_least, y_most = min(p[1] for p in points), max(p[1] for p in points)

    def at(x, y):
        across = math.log(x / x_least) / (math.log(x_most / x_least) or 1)
        up = math.log(y / y_least) / (math.log(y_most / y_least) or 1)
        return 90 + across * (WIDTH - 300), 300 - up * 220
    parts = [text(10, 22, title, size=15), text(10, 320, unit, size=11)]
    for number, (name, row) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = [at(x, y) for x, y in sorted(row.items()) if y and y > 0]
        if not path:
            continue
        parts.append('<polyline fill="none" stroke="%s" stroke-width="2" '
                     'points="%s"/>' % (colour, " ".join(
                         "%.1f,%.1f" % point for point in path)))
        for (x, y), point in zip(sorted(row.items()), path):
            parts.append(text(point[0], point[1] - 6, nice(y), "middle", 10))
            parts.append(text(point[0], 335, nice(x), "middle", 10))
        parts.append(text(path[-1][0] + 14, path[-1][1] + 4, name, size=11))
    return page(350, parts)
