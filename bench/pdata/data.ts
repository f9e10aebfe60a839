import { readdirSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

/** The data of the benchmark: seeded trace batches, and protobufjs with our `.proto` files to compare with. */

export const spansPerBatch = 512;
export const batchCount = 8;

const folder = join(import.meta.dirname, "../../proto");

/** Every message of our `.proto` files, for protobufjs. */
export function protoRoot(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(folder, target);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  root.loadSync(files.filter((file) => file.startsWith("opentelemetry") && file.endsWith(".proto"))).resolveAll();
  return root;
}

/** `ExportTraceServiceRequest` of protobufjs. */
export function requestType(): protobuf.Type {
  return protoRoot().lookupType("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest");
}

/** Batches of 512 spans under 4 resources, 12 attributes and about 490 bytes a span. */
export function batches(type: protobuf.Type): Buffer[] {
  return Array.from({ length: batchCount }, (_, index) => Buffer.from(type.encode(request(index + 1)).finish()));
}

const models = ["llama-3.1-8b", "gpt-oss-20b", "qwen2.5-7b", "mistral-24b"];

function request(seed: number): object {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  const bytes = (size: number) => Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const int = (key: string, intValue: number) => ({ key, value: { intValue } });
  const span = () => {
    const start = 1_764_000_000 + Math.floor(random() * 1000);
    const nanos = Math.floor(random() * 1e9);
    return {
      traceId: bytes(16),
      spanId: bytes(8),
      parentSpanId: bytes(8),
      name: "chat gpt-oss-20b",
      kind: 3,
      startTimeUnixNano: time(start, nanos),
      endTimeUnixNano: time(start + 1, Math.floor(random() * 1e9)),
      attributes: [
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "llama.cpp"),
        text("gen_ai.request.model", models[Math.floor(random() * 4)] ?? ""),
        text("gen_ai.response.model", "gpt-oss-20b"),
        text("server.address", "10.0.0.7"),
        int("server.port", 8080),
        int("gen_ai.usage.input_tokens", Math.floor(random() * 4000)),
        int("gen_ai.usage.output_tokens", Math.floor(random() * 900)),
        { key: "gen_ai.request.temperature", value: { doubleValue: random() } },
        int("gen_ai.request.max_tokens", 1024),
        text("gen_ai.response.id", bytes(4).toString("hex")),
        { key: "gen_ai.request.stream", value: { boolValue: random() < 0.5 } },
      ],
      status: random() < 0.05 ? { code: 2, message: "timeout" } : { code: 1 },
      flags: 1,
    };
  };
  return {
    resourceSpans: Array.from({ length: 4 }, (_, index) => ({
      resource: { attributes: [text("service.name", "worker"), text("host.name", `gpu-${index}`)] },
      scopeSpans: [
        { scope: { name: "otelpipe.bench", version: "1" }, spans: Array.from({ length: spansPerBatch / 4 }, span) },
      ],
    })),
  };
}

/** A time as protobufjs takes a `fixed64`. */
function time(seconds: number, nanos: number): unknown {
  const Long = protobuf.util.Long as unknown as { fromString(text: string, unsigned: boolean): unknown };
  return Long.fromString((BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toString(), true);
}
