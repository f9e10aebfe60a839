"""Reads figure files with the real plotly and prints what they hold, to compare with what was sent."""

import json
import pathlib
import sys

import plotly
import plotly.io


def read(path):
    figure = plotly.io.from_json(path.read_text(encoding="utf-8"))
    return {
        "meta": figure.layout.meta,
        "traces": [
            {
                "type": trace.type,
                "name": trace.name,
                "points": len(trace.x) if trace.x is not None else 0,
                "sumX": sum_of(trace.x),
                "sumY": sum_of(trace.y),
                "last": number(trace.y[-1]) if trace.y is not None and len(trace.y) else None,
            }
            for trace in figure.data
        ],
    }


def sum_of(values):
    numbers = [number(value) for value in (values if values is not None else [])]
    return sum(value for value in numbers if value is not None)


def number(value):
    return float(value) if not isinstance(value, str) and value is not None else None


folder = pathlib.Path(sys.argv[1])
figures = {path.stem: read(path) for path in sorted(folder.glob("*.json"))}
print(json.dumps({"version": plotly.__version__, "figures": figures}))
