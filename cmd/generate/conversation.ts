import type { DialectName } from "./dialects/names.ts";
import type { Random } from "./random.ts";

/** One user's session with an application: each turn is a trace. */
export interface Conversation {
  readonly id: string;
  /** The turn at hand, from 1. */
  turn: number;
  /** Tokens of the turns before, which every call carries along. */
  historyTokens: number;
  dueSeconds: number;
}

/** Sessions kept for each application; beyond that, a new one takes the place of the oldest. */
const mostOpen = 1000;

/** Sessions that wait for their user's next turn. */
export class Conversations {
  readonly #open = new Map<DialectName, Conversation[]>();

  /** The conversation that goes on at `nowSeconds`, else a new one. */
  next(dialect: DialectName, nowSeconds: number, random: Random): Conversation {
    const open = this.#open.get(dialect) ?? [];
    const [first] = open;
    if (first === undefined || first.dueSeconds > nowSeconds) {
      return { id: `conv-${random.hex(16)}`, turn: 1, historyTokens: 0, dueSeconds: 0 };
    }
    open.shift();
    first.turn++;
    return first;
  }

  /** A turn has ended: the user comes back, or not. */
  turnEnded(
    dialect: DialectName,
    conversation: Conversation,
    tokens: number,
    nowSeconds: number,
    random: Random,
  ): void {
    if (!random.chance(Math.min(0.94, 0.1 + 0.12 * (conversation.turn - 1)))) return;
    conversation.historyTokens = Math.min(32_768, conversation.historyTokens + tokens);
    conversation.dueSeconds = nowSeconds + random.logNormal(30, 1.3);
    const open = this.#open.get(dialect) ?? [];
    this.#open.set(dialect, open);
    const place = open.findIndex(({ dueSeconds }) => dueSeconds > conversation.dueSeconds);
    open.splice(place === -1 ? open.length : place, 0, conversation);
    if (open.length > mostOpen) open.shift();
  }
}
