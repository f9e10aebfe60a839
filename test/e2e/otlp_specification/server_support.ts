import { bytesField } from "../../../pipeline/net/protobuf.ts";
import { batches } from "../../support/otlp_batches.ts";

/** A request with a span, and behind it a field that no version of OTLP has yet: number 900, a text. */
export const fromTheFuture = Buffer.concat([batches.traces.toBuffer(), bytesField(900, "news")]);
