"""Plain pandas on the table of an Arrow stream: what the engines of `bench/aggregate` are compared with.

    plain.py FILE ROUNDS

Prints the CPU seconds of each round, after one to warm up, as a JSON array. Reading the file is not counted.
"""

import json
import sys
import time

import pyarrow.ipc

KEYS = ["service", "model", "status"]
VALUES = ["duration", "input_tokens", "output_tokens"]


def aggregate(frame):
    grouped = frame.groupby(KEYS, observed=True, sort=False)[VALUES]
    return grouped.agg(["count", "sum", "mean"]), grouped.quantile([0.5, 0.95, 0.99])


def main():
    with open(sys.argv[1], "rb") as file:
        frame = pyarrow.ipc.open_stream(file.read()).read_all().to_pandas()
    seconds = []
    for _ in range(int(sys.argv[2]) + 1):
        began = time.process_time()
        aggregate(frame)
        seconds.append(time.process_time() - began)
    print(json.dumps(seconds[1:]))


main()
