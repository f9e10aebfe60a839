import assert from "node:assert/strict";
import { check, type Difference, type Findings, type Row } from "../check.ts";
import { post, type Request } from "../corpus.ts";
import { startOtelpipe } from "../otelpipe.ts";
import { comparable, type Item, itemsOf, plain, readRequests } from "../otlp_items.ts";
import * as collector from "../peers/collector.ts";
import type { Peer } from "../peers/peer.ts";
import { withServers } from "../with_servers.ts";
import { type Answer, ask, type Question } from "./answers/ask.ts";
import { codingQuestions } from "./answers/coding_questions.ts";
import { knownDifferences } from "./answers/differences.ts";
import { grpcQuestions } from "./answers/grpc_questions.ts";
import { httpQuestions, largestBody } from "./answers/http_questions.ts";
import { jsonQuestions } from "./answers/json_questions.ts";

const families: readonly (readonly [name: string, questions: readonly Question[]])[] = [
  ["HTTP requests, good and bad", httpQuestions],
  ["OTLP/JSON dialects", jsonQuestions],
  ["gRPC requests, good and bad", grpcQuestions],
  ["compressed requests, good and bad", codingQuestions],
];

/**
 * The same bytes to otelpipe and to a real Collector: HTTP status, content type, status code and the body of a success
 * must be equal, and so must what both wrote down afterwards. A difference fails unless `knownDifferences` says why it
 * is there, and fails as well once it is gone.
 */
export const answers = check({
  name: "answers",
  area: "Requests: what a sender is answered",
  needs: ["collector"],
  async run(peers): Promise<Findings> {
    const differences: Difference[] = [];
    const rows: Row[] = [];
    const unexpected: string[] = [];
    for (const [name, questions] of families) {
      const different = await compareFamily(peers.collector, questions, unexpected);
      differences.push(...different);
      rows.push({
        peer: "Collector, side by side",
        checked: name,
        scenarios: questions.length,
        equal: questions.length - different.length,
        result: `${questions.length - different.length} of ${questions.length} answered alike, ${different.length} differ as listed`,
      });
    }
    assert.ok(unexpected.length === 0, `${unexpected.length} answers are not as expected:\n${unexpected.join("\n")}`);
    return { rows, differences: [...differences, grpcContent] };
  },
});

async function compareFamily(peer: Peer, questions: readonly Question[], unexpected: string[]): Promise<Difference[]> {
  const answered: { readonly question: Question; readonly our: Answer; readonly their: Answer }[] = [];
  const files = await withServers(async (started) => {
    const theirs = started(await collector.start(peer, { config }));
    const ours = started(await startOtelpipe(config));
    for (const question of questions) {
      answered.push({ question, our: await ask(ours, question), their: await ask(theirs, question) });
      for (const { httpPort } of [ours, theirs]) await post(httpPort, [separator(question)]);
    }
    return { ours: ours.outputFile, theirs: theirs.outputFile };
  });
  const [ourData, theirData] = [await dataByQuestion(files.ours), await dataByQuestion(files.theirs)];
  return answered.flatMap(({ question, our, their }) => {
    const [ourItems = "", theirItems = ""] = [ourData.get(question.name), theirData.get(question.name)];
    const isAlike = compared(our) === compared(their) && ourItems === theirItems;
    const reason = knownDifferences[question.name];
    if (isAlike && reason !== undefined) unexpected.push(`${question.name}: no longer differs`);
    if (isAlike) return [];
    const isData = compared(our) === compared(their);
    const difference = {
      input: question.name,
      otelpipe: isData ? ourItems : told(our),
      collector: isData ? theirItems : told(their),
    };
    if (reason === undefined) unexpected.push(JSON.stringify(difference, undefined, 2));
    return reason === undefined ? [] : [{ ...difference, reason }];
  });
}

/** A log record that names the question before it: what stands between two of them in a file came of one question. */
function separator({ name }: Question): Request {
  const logRecords = [{ body: { stringValue: name }, eventName: "separator" }];
  const body = Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
  return { path: "/v1/logs", contentType: "application/json", body };
}

/** What was written down for each question, as comparable text. */
async function dataByQuestion(path: string): Promise<Map<string, string>> {
  const data = new Map<string, string>();
  let items: Item[] = [];
  for (const item of (await readRequests(path)).flatMap(itemsOf)) {
    if (item.item["eventName"] !== "separator") items.push(item);
    else {
      data.set(String(plain(item.item["body"])), comparable(items).join("\n"));
      items = [];
    }
  }
  return data;
}

/** Not compared, see `compared`; the same in every gRPC answer. */
const grpcContent: Difference = {
  input: "gRPC: every answer",
  otelpipe: "content type application/grpc+proto; a success is the empty message",
  collector: "application/grpc; a success holds an empty partial success, compressed as the request was",
  reason: "Clients read both alike. OTLP says that after a full success the partial success must be unset.",
};

/**
 * What must be equal. Over gRPC both of the protocol's content types are one (grpc-js writes `application/grpc+proto`,
 * grpc-go `application/grpc`), and so are an empty answer and one with an empty partial success, however compressed.
 */
function compared({ status, contentType, code, body }: Answer): string {
  const type = contentType.toLowerCase();
  if (type.startsWith("application/grpc")) return JSON.stringify([status, "application/grpc", code]);
  return JSON.stringify([status, type, code, body]);
}

function told({ status, contentType, code, message, body }: Answer): string {
  const parts = [`${status}`, contentType, code === undefined ? "" : `code ${code}`, message.slice(0, 120), body ?? ""];
  return parts.filter((part) => part !== "").join(", ");
}

/** No pipeline for metrics and profiles; small limits, so that too large is quick to send. */
function config(ports: collector.CollectorPorts, outputFile: string): string {
  return collector
    .receiveToFile(ports, outputFile)
    .replace(`:${ports.grpcPort}" }`, `:${ports.grpcPort}", max_recv_msg_size_mib: 1 }`)
    .replace(`:${ports.httpPort}" }`, `:${ports.httpPort}", max_request_body_size: ${largestBody} }`)
    .replace(/metrics: \{ receivers[^}]*\},/, "");
}
