import type { Account } from "./accounts.ts";
import { isObject } from "./encodings_check.ts";
import { type FakeRequest, jsonBody, type Reply, reply } from "./request.ts";
import type { Storage } from "./storage.ts";

export interface ShareOptions {
  /** `absent`: a server without this route; `forbidden`: a plan without sharing. */
  readonly sharing?: "absent" | "forbidden" | undefined;
}

/** Who may see a dataset. */
export function shareDataset(storage: Storage, account: Account, options: ShareOptions, request: FakeRequest): Reply {
  if (options.sharing === "absent") return reply(404, { detail: "Not found." });
  if (options.sharing === "forbidden") return reply(403, { detail: "You do not have permission to share." });
  const body = jsonBody(request);
  const problem = shareProblem(body);
  if (problem !== undefined) return reply(400, { status: "ERR", message: problem });
  const dataset = storage.datasets.get(String(body["obj_pk"]));
  if (dataset === undefined || dataset.owner !== account) return reply(404, { detail: "Not found." });
  dataset.share = body;
  return reply(200, { status: "OK", message: "Shared" });
}

function shareProblem(body: Readonly<Record<string, unknown>>): string | undefined {
  if (body["obj_type"] !== "dataset") return "obj_type must be dataset";
  if (!["private", "organization", "public"].includes(String(body["mode"]))) return "mode is not a valid choice";
  if (!["10", "20", "30"].includes(String(body["mode_action"]))) return "mode_action is not a valid choice";
  if (typeof body["notify"] !== "boolean") return "notify must be a boolean";
  if (typeof body["message"] !== "string") return "message must be a string";
  const invited = body["invited_users"];
  const isInvited = (user: unknown) =>
    isObject(user) && /^\S+@\S+$/.test(String(user["email"])) && ["10", "20"].includes(String(user["action"]));
  return Array.isArray(invited) && invited.every(isInvited) ? undefined : "invited_users must be a list of people";
}
