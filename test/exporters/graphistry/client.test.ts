import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Client } from "../../../exporters/graphistry/rest/client.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

/** What an error says when the server repeats `words`. */
async function told(client: Client, words: string): Promise<string> {
  const call = { what: "a test", method: "GET", path: `/?${words}` } as const;
  return client.send(call, new AbortController().signal).then(
    () => "",
    (error: Error) => error.message,
  );
}

describe("what Graphistry's server says", () => {
  // Scenario: every upload brings a new token, for weeks.
  // Guarantees: the password and the tokens that may be good are hidden; what is remembered does not grow for ever.
  it("is told without the secret and the latest tokens", async () => {
    const answer = async (url: unknown) =>
      Response.json({ detail: decodeURIComponent(String(url).split("?")[1] ?? "") }, { status: 400 });
    const client = new Client("http://server", answer as typeof fetch, "test", simulatedHost({}));
    client.hide('p4ss"word');
    for (let upload = 1; upload <= 1000; upload++) client.hideToken(`token-${upload}.`);
    const hidden = await told(client, 'p4ss"word, token-1000., token-950., token-1.');
    assert.equal(hidden, "Graphistry answered 400 to a test: [REDACTED], [REDACTED], [REDACTED], token-1.");
  });
});
