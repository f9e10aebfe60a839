const utf8 =
  "Protobuf's and JSON's texts are UTF-8. What is not would be refused by the next strict reader, together with all that was batched with it.";
const lenientJson =
  "ProtoJSON allows it (exponents; base64 in both alphabets, with and without padding), so it is taken.";
const brokenError =
  "The Collector fails on the text of its own error: its 500 would make senders believe that the server is at fault.";
const whoseFault = "INVALID_ARGUMENT says whose fault it is, as 400 does over HTTP. Senders retry neither.";
const library =
  "grpc-js answers before otelpipe sees the call. No client library sends this, and neither answer is retried.";

const behind = "What stands behind the end of the stream would be lost without a word.";

const broken = ["cut by a byte", "cut in the middle", "damaged", "something behind", "not that coding at all"] as const;
const brokenOverGrpc = ["gzip", "zstd", "snappy"].flatMap((coding) => broken.map((name) => `gRPC, ${coding}: ${name}`));

/** Where otelpipe answers differently on purpose, and why. A difference that is not here fails the check. */
export const knownDifferences: Readonly<Record<string, string>> = {
  "HTTP: identity": "The coding says that nothing was encoded; refusing it would only lose data.",
  "HTTP: protobuf with a wrong wire type":
    "Standard decoders take it as an unknown field, which is kept; the Collector's generated one refuses it.",
  "HTTP: invalid UTF-8 in a name": utf8,
  "JSON: invalid UTF-8": utf8,
  "JSON: invalid UTF-8 in a name": utf8,
  "gRPC: invalid UTF-8 in a name": utf8,
  "JSON: time in exponent form": lenientJson,
  "JSON: time as a text in exponent form": lenientJson,
  "JSON: value: bytes without padding": lenientJson,
  "JSON: value: bytes in base64url": lenientJson,
  "JSON: negative count": brokenError,
  "JSON: a byte order mark": brokenError,
  "gRPC: truncated gzip": whoseFault,
  "gRPC: bytes that are no gzip": whoseFault,
  "gRPC: malformed protobuf": whoseFault,
  "gRPC: text instead of protobuf": whoseFault,
  "gRPC: trace id of 15 bytes": whoseFault,
  "gRPC: span id of 7 bytes": whoseFault,
  ...Object.fromEntries(brokenOverGrpc.map((name) => [name, whoseFault])),
  "gRPC, gzip: nothing at all": whoseFault,
  "gRPC, snappy: a block": whoseFault,
  "HTTP, zlib: something behind": behind,
  "HTTP, zlib: twice": behind,
  "HTTP, deflate: something behind": behind,
  "HTTP, deflate: twice": behind,
  "HTTP, SNAPPY: in capitals": "HTTP's codings have no case.",
  "gRPC: no message": library,
  "gRPC: two messages": library,
  "gRPC: half a message": library,
  "gRPC: wrong content type": library,
};
