import { addressOf } from "./openai.ts";

/** The first of the server's models; every OpenAI-compatible server lists them. */
export async function firstModel(server: string): Promise<string> {
  const { data } = (await getJson(addressOf(server, "/v1/models"))) as { data?: { id?: string }[] };
  const id = data?.[0]?.id;
  if (id === undefined) throw new Error(`${server} lists no model; name one with --model`);
  return id;
}

/** llama-server tells how much the model can hold; for others a length that no small model can. */
export async function contextTokens(server: string, model: string): Promise<number> {
  const path = `/props?model=${encodeURIComponent(model)}`;
  const properties = await getJson(addressOf(server, path), 60_000).catch(() => ({}));
  const { default_generation_settings: defaults } = properties as { default_generation_settings?: { n_ctx?: number } };
  // A router that has not loaded the model says 0.
  return defaults?.n_ctx || 200_000;
}

async function getJson(url: string, timeoutMs = 10_000): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return await response.json();
}
