import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { zstdCompressSync } from "node:zlib";
import type { Client } from "@grpc/grpc-js";
import { z } from "../../../pipeline/config/schema.ts";
import { grpcClientShape } from "../../../pipeline/net/client_settings.ts";
import { compress, decompress, type Encoding } from "../../../pipeline/net/compression.ts";
import { codeMessages } from "../../../pipeline/net/grpc_message_coding.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { forEachGrpcEngine, makeGrpcClient, surroundings } from "./servers.ts";

const cleanup: (() => unknown)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const limits = { maxBytes: 1e8, reserve: () => true };
const codings: readonly (readonly [name: string, encoding: Encoding])[] = [
  ["gzip", "gzip"],
  ["snappy", "x-snappy-framed"],
  ["zstd", "zstd"],
];

/** A gRPC server that shows what came over the wire and answers with `answer`, in the coding that it names. */
async function backend(answer: Buffer = Buffer.alloc(5), coding?: string) {
  const seen: { headers: IncomingHttpHeaders; message: Buffer }[] = [];
  const server = createServer();
  server.on("stream", (stream, headers) => {
    void buffer(stream).then((message) => {
      seen.push({ headers: headers as IncomingHttpHeaders, message });
      const own = coding === undefined ? {} : { "grpc-encoding": coding };
      stream.respond({ ":status": 200, "content-type": "application/grpc", ...own }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.push(() => server.close());
  return { seen, endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function client(endpoint: string, compression: string) {
  const settings = z.strictObject(grpcClientShape({ compression: "gzip" })).parse({
    endpoint,
    compression,
    tls: { insecure: true },
  });
  const made = makeGrpcClient(settings, surroundings());
  cleanup.push(() => made.close());
  return made;
}

function framed(message: Buffer, flag: number): Buffer {
  const head = Buffer.from([flag, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const path = exportPath("traces");
const bodies = [Buffer.from("spans"), Buffer.from("spans ".repeat(100_000))];

forEachGrpcEngine(() => {
  describe("messages of a gRPC client", () => {
    for (const [compression, encoding] of codings) {
      it(`are coded with ${compression}, small and large`, async () => {
        const { seen, endpoint } = await backend();
        const sender = client(endpoint, compression);
        for (const body of bodies) {
          assert.equal((await sender.send(path, body, {})).status, undefined);
          const { headers, message } = seen.at(-1) as (typeof seen)[0];
          assert.equal(headers["grpc-encoding"], compression);
          assert.deepEqual([message[0], message.readUInt32BE(1)], [1, message.length - 5]);
          assert.ok(body.equals(await decompress(encoding, message.subarray(5), limits)));
        }
      });
    }

    for (const compression of ["none", ""]) {
      it(`are left as they are with ${JSON.stringify(compression)}`, async () => {
        const { seen, endpoint } = await backend();
        await client(endpoint, compression).send(path, Buffer.from("spans"), {});
        assert.equal(seen[0]?.headers["grpc-encoding"], undefined);
        assert.deepEqual(seen[0]?.message, framed(Buffer.from("spans"), 0));
        assert.equal(seen[0]?.headers["grpc-accept-encoding"], "identity,gzip,zstd,snappy,deflate");
      });
    }

    it("are coded by us: the library shows where it does that", () => {
      const channel = { internalChannel: {} };
      const other = { getChannel: () => channel } as unknown as Client;
      assert.throws(() => codeMessages(other, { name: "gzip", maxAnswerBytes: 1 }), /does not show how it codes/);
    });
  });

  describe("answers to a gRPC client", () => {
    for (const [name, encoding] of codings) {
      it(`are read when coded with ${name}, whatever the request was coded with`, async () => {
        const answer = Buffer.from("accepted");
        const { endpoint } = await backend(framed(await compress(encoding, 0, answer), 1), name);
        assert.deepEqual(await client(endpoint, "none").send(path, Buffer.from("x"), {}), {
          status: undefined,
          body: answer,
        });
      });
    }

    it("are read when not coded although a coding is named", async () => {
      const { endpoint } = await backend(framed(Buffer.from("accepted"), 0), "gzip");
      assert.equal((await client(endpoint, "gzip").send(path, Buffer.from("x"), {})).body.toString(), "accepted");
    });

    for (const { name, coding, answer, message } of [
      { name: "in a coding nobody knows", coding: "rot13", answer: Buffer.from("x"), message: /an answer in rot13/ },
      { name: "coded without a name", coding: undefined, answer: Buffer.from("x"), message: /an answer in identity/ },
      { name: "damaged", coding: "gzip", answer: Buffer.from("x"), message: /cannot read the answer: gzip/ },
      {
        name: "a bomb",
        coding: "zstd",
        answer: zstdCompressSync(Buffer.alloc(5 << 20)),
        message: /larger than 4194304 bytes after decompression/,
      },
    ]) {
      it(`fail the call when they are ${name}`, async () => {
        const { endpoint } = await backend(framed(answer, 1), coding);
        const { status } = await client(endpoint, "none").send(path, Buffer.from("x"), {});
        assert.equal(status?.code, 13);
        assert.match(status?.message ?? "", message);
      });
    }
  });
});
