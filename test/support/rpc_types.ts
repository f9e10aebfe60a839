import { join } from "node:path";
import protobuf from "protobufjs";

const protoRoot = join(import.meta.dirname, "../../proto");

/** `google.rpc.Status` and `google.rpc.RetryInfo` as protobufjs reads our `.proto` files: an independent oracle. */
export function rpcTypes() {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    (target.startsWith("google/protobuf/") ? null : join(protoRoot, target)) as string;
  root.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);
  return { Status: root.lookupType("google.rpc.Status"), RetryInfo: root.lookupType("google.rpc.RetryInfo") };
}
