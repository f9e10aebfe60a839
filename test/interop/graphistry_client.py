"""The real Python client against our stand-in server, and real readers of the files our exporter writes.

Prints one JSON object with what it did and saw, for graphistry_client.ts to compare with what the server recorded.
"""

import argparse
import json
import logging
import os
import sys

import graphistry
import pandas as pd
import pyarrow as pa
from graphistry.validate.validate_encodings import validate_encodings

STATUS_COLORS = {"OK": "#4CAF50", "ERROR": "#F44336", "UNSET": "#9E9E9E"}


def small_graph():
    nodes = pd.DataFrame(
        {
            "span_id": ["00000000000000a1", "00000000000000a2", "00000000000000a3"],
            "name": ["llm.batch.requests", "llm.chat.gemma", "llm.chat.gemma"],
            "duration_ms": [900.5, 400.25, 450.0],
            "status": ["UNSET", "OK", "ERROR"],
        }
    )
    edges = pd.DataFrame(
        {
            "source": ["00000000000000a1", "00000000000000a1"],
            "destination": ["00000000000000a2", "00000000000000a3"],
            "trace_id": ["0000000000000000000000000000000a"] * 2,
        }
    )
    return nodes, edges


def plot_as_notebook(client, as_files):
    """The graph of the notebook: its bindings, colours and layout setting."""
    nodes, edges = small_graph()
    g = client.edges(edges, "source", "destination").nodes(nodes, "span_id")
    g = g.bind(point_title="name", point_size="duration_ms", point_color="status", edge_title="trace_id")
    g = g.layout_settings(play=0)
    g = g.encode_point_color("status", categorical_mapping=STATUS_COLORS, as_categorical=True)
    g = g.privacy(mode="private")
    return g.plot(render=False, validate="strict", as_files=as_files)


def with_password(address, options):
    client = graphistry.client()
    client.register(
        api=3, protocol="http", server=address, username=options["username"], password=options["password"]
    )
    first = plot_as_notebook(client, as_files=True)
    # A second plot refreshes the token first.
    nodes, edges = small_graph()
    second = client.edges(edges.head(1), "source", "destination").nodes(nodes, "span_id").plot(render=False)
    return {"first": first, "second": second}


def with_personal_key(address, options):
    client = graphistry.client()
    client.register(
        api=3,
        protocol="http",
        server=address,
        personal_key_id=options["key_id"],
        personal_key_secret=options["key_secret"],
        org_name=options["organization"],
    )
    return {"url": plot_as_notebook(client, as_files=False)}


def with_wrong_password(address, options):
    client = graphistry.client()
    try:
        client.register(api=3, protocol="http", server=address, username=options["username"], password="wrong")
    except Exception as error:
        return {"refused": str(error)}
    return {"refused": None}


def read_files(directory):
    """Our Arrow files through pyarrow, our JSON through json, our encodings through the client's own validator."""
    tables = {}
    for name in ("nodes", "edges"):
        with pa.memory_map(os.path.join(directory, f"{name}.arrow")) as source:
            tables[name] = pa.ipc.open_file(source).read_all()
            tables[name].validate(full=True)
    with open(os.path.join(directory, "graph.json"), encoding="utf-8") as file:
        graph = json.load(file)
    validate_encodings(
        graph["node_encodings"], graph["edge_encodings"], tables["nodes"].column_names, tables["edges"].column_names
    )
    frame = tables["nodes"].to_pandas()
    return {
        "nodes": tables["nodes"].num_rows,
        "edges": tables["edges"].num_rows,
        "types": {field.name: str(field.type) for field in tables["nodes"].schema},
        "names": frame["name"].tolist(),
        "durations": frame["duration_ms"].tolist(),
        "starts": [stamp.isoformat() for stamp in frame["start_time"]],
        "json_names": [row["name"] for row in graph["nodes"]],
    }


def main():
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True, help="host:port of the server")
    parser.add_argument("--directory", required=True, help="files the exporter wrote")
    address, directory = vars(parser.parse_args()).values()
    options = json.load(sys.stdin)
    result = {
        "version": graphistry.__version__,
        "password": with_password(address, options),
        "personal_key": with_personal_key(address, options),
        "wrong_password": with_wrong_password(address, options),
        "files": read_files(directory),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
