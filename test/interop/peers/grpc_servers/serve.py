"""A gRPC server of Python's grpcio for otelpipe's client; `grpc_servers.ts` says what its methods do."""

import argparse
import hashlib
import threading
from concurrent import futures

import grpc


def echo(message, _context):
    return message


def digest(message, _context):
    return hashlib.sha256(message).hexdigest().encode()


def wait(message, context):
    over = threading.Event()
    context.add_callback(over.set)
    over.wait(30)
    return message


def fail(_message, context):
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "zażółć 100%")


METHODS = {"Echo": echo, "Digest": digest, "Wait": wait, "Fail": fail}


class Methods(grpc.GenericRpcHandler):
    """Messages stay bytes: there are no serialisers."""

    def service(self, handler_call_details):
        method = METHODS.get(handler_call_details.method.rsplit("/", 1)[1])
        return method and grpc.unary_unary_rpc_method_handler(method)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    parser.add_argument("--max-age-ms", type=int)
    flags = parser.parse_args()
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    if flags.max_age_ms:
        options += [("grpc.max_connection_age_ms", flags.max_age_ms), ("grpc.max_connection_age_grace_ms", 60_000)]
    server = grpc.server(futures.ThreadPoolExecutor(16), options=options, compression=grpc.Compression.Gzip)
    server.add_generic_rpc_handlers((Methods(),))
    address = "127.0.0.1:0"
    if flags.cert:
        ca = read(flags.client_ca) if flags.client_ca else None
        pair = (read(flags.key), read(flags.cert))
        port = server.add_secure_port(address, grpc.ssl_server_credentials([pair], ca, ca is not None))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print("listening", port, flush=True)
    server.wait_for_termination()


main()
