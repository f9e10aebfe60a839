import assert from "node:assert/strict";
import { attributesOf, objectOf, readItems } from "../otlp_items.ts";
import type { Stage } from "./stage.ts";
import { isRequest, type SentSpan, sumTokens, tokensOf } from "./truth.ts";
import type { Work } from "./workload.ts";

/**
 * Compares the tokens on spans with llama-server's own counts.
 *
 * The server says `usage` in each answer, and counts for `/metrics` on its own. `prompt_tokens_total` counts prompt tokens
 * that were computed; those found in the slot's cache are in `prompt_tokens_cached_total`, and only the sum of both is
 * what `usage.prompt_tokens` counts. `tokens_predicted_total` is the sum of `usage.completion_tokens`, as long as
 * nobody hangs up: a cancelled request is counted there too, but its client never gets a `usage`. So the counters are
 * read twice: after all completions, where everything must be equal, and after the failing requests, where what the
 * cancelled one took is named.
 */
export function checkTokens(truth: readonly SentSpan[], { worker, notebook, failing, counters }: Work): string[] {
  const requests = truth.filter(isRequest);
  const ids = new Set(failing.requests.map(({ spanId }) => spanId));
  const sums = sumTokens(requests.filter(({ spanId }) => !ids.has(spanId)));
  const { before, after } = counters;
  assert.deepEqual(sums, {
    input: before.promptTokens + before.cachedPromptTokens,
    output: before.predictedTokens,
  });
  assert.deepEqual(sums, {
    input: worker.totals.inputTokens + notebook.inputTokens,
    output: worker.totals.outputTokens + notebook.outputTokens,
  });
  assert.deepEqual(sumTokens(requests.filter(({ spanId }) => ids.has(spanId))), { input: 0, output: 0 });
  for (const { spanId, inputTokens, outputTokens } of worker.requests) {
    const span = requests.find((each) => each.spanId === spanId);
    assert.deepEqual(span && tokensOf(span), { input: inputTokens, output: outputTokens });
  }
  const cancelled = {
    prompt: after.promptTokens + after.cachedPromptTokens - before.promptTokens - before.cachedPromptTokens,
    output: after.predictedTokens - before.predictedTokens,
  };
  assert.ok(cancelled.prompt > 0 && cancelled.prompt < 512, "the cancelled request is one prompt");
  const prompt = `${before.promptTokens} computed + ${before.cachedPromptTokens} from its cache`;
  return [
    `input ${sums.input} = ${prompt} by \`/metrics\` = the sum of \`usage\``,
    `output ${sums.output} = \`tokens_predicted_total\` = the sum of \`usage\``,
    `the cancelled request: ${cancelled.prompt} prompt tokens and ${cancelled.output} of output that only the server counted`,
  ];
}

/** The worker's own metric of tokens, as it came out downstream, adds up to the same. */
export async function checkTokenMetric(stage: Stage, { worker }: Work): Promise<string> {
  const points = (await readItems(stage.downstream.outputFile)).filter(
    ({ signal, resource, item }) =>
      signal === "metrics" &&
      attributesOf(resource)["service.name"] === "worker" &&
      objectOf(item["metric"])["name"] === "gen_ai.client.token.usage",
  );
  const latest = (type: string): number => {
    const own = points
      .map(({ item }) => objectOf(item["point"]))
      .filter((point) => attributesOf(point)["gen_ai.token.type"] === type)
      .sort((a, b) => Number(BigInt(String(a["timeUnixNano"])) - BigInt(String(b["timeUnixNano"]))));
    return Number(own.at(-1)?.["sum"]);
  };
  assert.deepEqual([latest("input"), latest("output")], [worker.totals.inputTokens, worker.totals.outputTokens]);
  return `\`gen_ai.client.token.usage\` sums to ${latest("input")} + ${latest("output")}, as the worker's answers do`;
}
