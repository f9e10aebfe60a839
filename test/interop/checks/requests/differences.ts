import type { Reasons } from "../../scenarios.ts";

const comeBack =
  "Senders are told when memory is looked at again; without that each of them guesses, and many come back too early.";

/** Where a sender is answered otherwise on purpose. */
export const requestReasons: Reasons = {
  "overloaded, HTTP: protobuf": comeBack,
  "overloaded, HTTP: JSON": comeBack,
  "overloaded, gRPC: protobuf": comeBack,
};
