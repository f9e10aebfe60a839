import type { ReceiverHost } from "../../pipeline/host.ts";
import { exportPath } from "../../pipeline/net/otlp_paths.ts";
import { rpcCode } from "../../pipeline/net/status.ts";
import type {
  Problem,
  RequestHandler,
  RequestHead,
  RpcAnswer,
  TransportRequest,
} from "../../pipeline/net/transport.ts";
import { type Signal, signals } from "../../pipeline/pdata/index.ts";
import { deliver, problemStatus } from "./deliver.ts";

/** An Export…ServiceResponse without partial success. */
const accepted: RpcAnswer = { body: Buffer.alloc(0) };

const signalByPath: ReadonlyMap<string, Signal> = new Map(signals.map((signal) => [exportPath(signal), signal]));

/** Answers OTLP calls over gRPC. */
export class GrpcHandler implements RequestHandler<RpcAnswer> {
  readonly #host: ReceiverHost;

  constructor(host: ReceiverHost) {
    this.#host = host;
  }

  /** A signal that no pipeline takes now has no service, as in the Collector. */
  judge({ path }: RequestHead): RpcAnswer | undefined {
    const signal = signalByPath.get(path);
    if (signal === undefined || this.#host.outlets[signal] !== undefined) return undefined;
    const service = path.split("/")[1];
    return { status: { code: rpcCode.unimplemented, message: `unknown service ${service}` } };
  }

  reject(head: RequestHead, problem: Problem): RpcAnswer {
    const signal = signalByPath.get(head.path);
    if (signal !== undefined) this.#host.malformed(signal, "grpc", problem.kind);
    return { status: problemStatus(problem, rpcCode.resourceExhausted) };
  }

  handle(request: TransportRequest, answer: (answer: RpcAnswer) => void): void {
    const signal = signalByPath.get(request.path);
    if (signal === undefined) {
      answer({ status: { code: rpcCode.unimplemented, message: `unknown method ${request.path}` } });
      return;
    }
    deliver(this.#host, signal, request, "protobuf", (status) => answer(status === undefined ? accepted : { status }));
  }
}
