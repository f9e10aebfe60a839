"""The aggregation worker behind `engine: rapids`: group-bys on a GPU with cuDF, on pandas where there is none.

Speaks `docs/aggregation-workers.md` over standard input and output; standard error is its log. The parent chooses the
GPU with CUDA_VISIBLE_DEVICES before the start, so inside it is always device 0.

    worker.py [--pool-bytes N] [--library cudf|pandas|auto]
"""

import argparse
import json
import os
import queue
import struct
import sys
import threading
import time

import pyarrow
import pyarrow.compute as compute
import pyarrow.ipc

PROTOCOL = 1
HELLO, REQUEST, TABLE, ANSWER, ERROR, CANCEL = range(1, 7)
# The parent's limit for one frame is the same.
MAXIMUM_FRAME_BYTES = 1 << 30
FUNCTIONS = ["count", "sum", "mean", "min", "max", "std", "nunique", "quantile"]


class BadRequest(Exception):
    """The request itself cannot be answered, by any engine."""


class Cancelled(Exception):
    """The parent does not want the answer any more."""


class Library:
    """What differs between cuDF and pandas."""

    def __init__(self, wanted, pool_bytes):
        self.is_gpu = False
        if wanted in ("cudf", "auto"):
            try:
                self._open_cudf(pool_bytes)
                return
            except Exception as error:  # No package, no driver, no device: each has an exception of its own.
                if wanted == "cudf":
                    raise
                print(f"no cudf, so pandas: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        import pandas

        self.name = f"pandas {pandas.__version__}"
        self.device = None
        self._frame = lambda table: table.to_pandas()

    def _open_cudf(self, pool_bytes):
        import rmm

        if pool_bytes:
            # Both sizes: the default is half of the GPU at once and all of it in the end.
            rmm.reinitialize(pool_allocator=True, initial_pool_size=pool_bytes, maximum_pool_size=pool_bytes)
        import cudf
        import cupy

        self._cuda = cupy.cuda.runtime
        properties = self._cuda.getDeviceProperties(0)
        self.name = f"cudf {cudf.__version__}"
        self.device = properties["name"].decode()
        self.is_gpu = True
        self._frame = cudf.DataFrame.from_arrow

    def memory(self):
        """Bytes of the device, or of this process where there is no device."""
        if self.is_gpu:
            free, total = self._cuda.memGetInfo()
            return {"free_bytes": free, "total_bytes": total}
        with open("/proc/self/statm", encoding="ascii") as file:
            return {"resident_bytes": int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")}

    def frame(self, table):
        return self._frame(table)

    def doubles(self, series):
        """A column of an answer as Arrow doubles, absent where it is null or NaN."""
        array = series.to_arrow() if self.is_gpu else pyarrow.Array.from_pandas(series)
        if isinstance(array, pyarrow.ChunkedArray):
            array = array.combine_chunks()
        return without_nan(array.cast(pyarrow.float64()))


def without_nan(array):
    return compute.if_else(compute.is_nan(array), None, array)


def column_named(table, name):
    if name not in table.column_names:
        raise BadRequest(f'no column "{name}"; there are {", ".join(table.column_names)}')
    return table.column(name).combine_chunks()


def codes_of(array):
    """Numbers for the values of a column, and the values by number: groups are made of numbers, never of texts."""
    if not pyarrow.types.is_dictionary(array.type):
        # Adding zero makes one value of 0.0 and -0.0.
        array = compute.dictionary_encode(compute.add(without_nan(array), 0.0))
    return array.indices, array.dictionary


def measured(table, name, function):
    """The values of a column as doubles; of a text column their numbers, enough to count them."""
    array = column_named(table, name)
    if not pyarrow.types.is_dictionary(array.type):
        return without_nan(array)
    if function not in ("count", "nunique"):
        raise BadRequest(f"{function}({name}): the column holds text, not numbers")
    return array.indices.cast(pyarrow.float64())


def group_by(library, table, request, check):
    """The answer to a request, as a table: the group columns, then the aggregations."""
    keys = {}
    arrays = {}
    for place, name in enumerate(request["groupBy"]):
        indices, dictionary = codes_of(column_named(table, name))
        keys[name] = dictionary
        arrays[f"key {place}"] = compute.fill_null(indices, -1)
    if not keys:
        arrays["key 0"] = pyarrow.array([0]).take(pyarrow.nulls(table.num_rows, pyarrow.int32()).fill_null(0))
    for aggregation in request["aggregations"]:
        name, function = aggregation.get("column"), aggregation["fn"]
        if function not in FUNCTIONS:
            raise BadRequest(f"no function {function}; there are {', '.join(FUNCTIONS)}")
        if name is not None:
            arrays[f"value {name}"] = measured(table, name, function)
    by = [name for name in arrays if name.startswith("key ")]
    frame = library.frame(pyarrow.table(arrays))
    # In order of the keys, so that all results have their rows in one order.
    grouped = frame.groupby(by, sort=True)
    sizes = grouped.size()
    groups = sizes.reset_index()
    columns = {}
    for place, (name, dictionary) in enumerate(keys.items()):
        codes = library.doubles(groups[f"key {place}"]).cast(pyarrow.int32())
        codes = compute.if_else(compute.equal(codes, -1), None, codes)
        values = dictionary.take(codes)
        is_text = pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type)
        columns[name] = values.cast(pyarrow.utf8()).dictionary_encode() if is_text else values
    for aggregation in request["aggregations"]:
        check()
        columns[aggregation["as"]] = aggregated(library, grouped, sizes, aggregation)
    return pyarrow.table(columns)


def aggregated(library, grouped, sizes, aggregation):
    function, name = aggregation["fn"], aggregation.get("column")
    if name is None:
        return library.doubles(sizes)
    values = grouped[f"value {name}"]
    if function == "count":
        return library.doubles(values.count())
    if function == "nunique":
        return library.doubles(values.nunique())
    if function == "quantile":
        return library.doubles(values.quantile(aggregation["q"], interpolation="linear"))
    result = library.doubles(getattr(values, function)())
    if function in ("mean", "min", "max"):
        return result
    # pandas and cuDF do not agree on the sum of nothing and the deviation of one.
    least = 2 if function == "std" else 1
    return compute.if_else(compute.less(library.doubles(values.count()), least), None, result)


class Conversation:
    """Frames over a pair of pipes: `u32 little-endian length of what follows | u8 kind | payload`."""

    def __init__(self, source, sink):
        self._source = source
        self._sink = sink
        self._lock = threading.Lock()

    def read(self):
        """The next frame as (kind, payload), or None at the end of the input."""
        header = self._source.read(5)
        if len(header) < 5:
            return None
        length, kind = struct.unpack("<IB", header)
        if not 1 <= length <= MAXIMUM_FRAME_BYTES:
            raise ValueError(f"a frame of {length} bytes")
        payload = self._source.read(length - 1)
        return None if len(payload) < length - 1 else (kind, payload)

    def write(self, kind, payload):
        with self._lock:
            self._sink.write(struct.pack("<IB", len(payload) + 1, kind))
            self._sink.write(payload)
            self._sink.flush()

    def write_json(self, kind, value):
        self.write(kind, json.dumps(value).encode())


class Worker:
    """Answers requests one after the other; a reader thread takes them in, so that a cancellation is heard meanwhile."""

    def __init__(self, library, conversation):
        self._library = library
        self._conversation = conversation
        self._requests = queue.Queue()
        self._cancelled = set()

    def run(self):
        threading.Thread(target=self._read, daemon=True).start()
        while (request := self._requests.get()) is not None:
            self._answer(*request)

    def _read(self):
        try:
            self._read_frames()
        except Exception as error:  # Out of step with the parent: nothing after it can be trusted.
            print(f"cannot read on: {error}", file=sys.stderr, flush=True)
        self._requests.put(None)

    def _read_frames(self):
        header = None
        while (frame := self._conversation.read()) is not None:
            kind, payload = frame
            if kind == REQUEST:
                header = json.loads(payload)
            elif kind == TABLE and header is not None:
                self._requests.put((header, payload))
                header = None
            elif kind == CANCEL:
                self._cancelled.add(json.loads(payload)["id"])

    def _answer(self, request, payload):
        identity = request["id"]

        def check():
            if identity in self._cancelled:
                raise Cancelled()

        began = time.perf_counter()
        try:
            check()
            table = pyarrow.ipc.open_stream(payload).read_all()
            if table.num_rows == 0:
                table = table.slice(0, 0)
            answer = group_by(self._library, table, request, check)
            computed = time.perf_counter()
            sink = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(sink, answer.schema) as writer:
                writer.write_table(answer)
        except Exception as error:
            self._conversation.write_json(ERROR, {"id": identity, "code": code_of(error), "message": str(error)})
            return
        finally:
            self._cancelled.discard(identity)
        facts = {"id": identity, "compute_ms": (computed - began) * 1000, "memory": self._library.memory()}
        self._conversation.write_json(ANSWER, facts)
        self._conversation.write(TABLE, sink.getvalue())


def code_of(error):
    if isinstance(error, BadRequest):
        return "bad_request"
    if isinstance(error, Cancelled):
        return "cancelled"
    # rmm's own exceptions are no MemoryError, and name it in words.
    if isinstance(error, MemoryError) or "out_of_memory" in str(error) or "bad_alloc" in str(error):
        return "out_of_memory"
    return "internal"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pool-bytes", type=int, default=0)
    parser.add_argument("--library", choices=["auto", "cudf", "pandas"], default="auto")
    arguments = parser.parse_args()
    # Whatever a library prints goes to the log: only frames may reach the parent.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    conversation = Conversation(sys.stdin.buffer, sink)
    library = Library(arguments.library, arguments.pool_bytes)
    hello = {"protocol": PROTOCOL, "engine": library.name, "device": library.device, "gpu": library.is_gpu}
    conversation.write_json(HELLO, {**hello, "functions": FUNCTIONS, "memory": library.memory()})
    Worker(library, conversation).run()


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)
