import { accepts } from "./check.ts";
import { anyValue, type Field, keyValue, type Message } from "./messages.ts";
import { afterField, afterVarint, readVarint, varintSize, writeVarint } from "./wire.ts";

/** One field of a message, as it came; `parts` are the payloads of a message that came in several pieces. */
interface Piece {
  readonly tag: number;
  readonly field: Field | undefined;
  readonly raw: Buffer;
  readonly parts: Buffer[];
}

/**
 * Rewrites a valid message into ordinary form, the only form that readers behind the validating walk know:
 * each singular field once (the last scalar, all pieces of a message merged, the last member of a oneof), attributes
 * side by side, an attribute's key before its value before anything else, a value's member first, tags and lengths
 * minimal. What a standard decoder makes of the bytes stays the same; unknown fields are kept as they came. Slow:
 * real senders never need it.
 */
export function toOrdinary(bytes: Buffer, type: Message): Buffer {
  const chunks: Buffer[] = [];
  for (const piece of arrange(type, collect(bytes, type))) chunks.push(...encode(piece));
  return Buffer.concat(chunks);
}

function encode({ tag, field, raw, parts }: Piece): Buffer[] {
  const message = field?.kind === "message" ? field.message?.() : undefined;
  if (message !== undefined) return lengthDelimited(tag, toOrdinary(Buffer.concat(parts), message));
  if (field !== undefined && (tag & 7) === 2) return lengthDelimited(tag, Buffer.concat(parts));
  return field === undefined ? [raw] : [varint(tag), raw.subarray(afterVarint(raw, 0))];
}

function lengthDelimited(tag: number, payload: Buffer): Buffer[] {
  return [varint(tag), varint(payload.length), payload];
}

function varint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(varintSize(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** The fields of a message in order, with the repetitions of singular ones resolved. */
function collect(bytes: Buffer, type: Message): Piece[] {
  const pieces = new Set<Piece>();
  const singular = new Map<number, Piece>();
  let chosen: Piece | undefined;
  for (let at = 0; at < bytes.length; ) {
    const next = afterField(bytes, at);
    const piece = read(bytes.subarray(at, next), type);
    at = next;
    const { field } = piece;
    if (field !== undefined && !field.repeated) {
      const earlier = field.inOneof ? chosen : singular.get(field.number);
      if (field.kind === "message" && earlier?.field === field) {
        earlier.parts.push(...piece.parts);
        continue;
      }
      if (earlier !== undefined) pieces.delete(earlier);
      singular.set(field.number, piece);
      if (field.inOneof) chosen = piece;
    }
    pieces.add(piece);
  }
  return [...pieces];
}

function read(raw: Buffer, type: Message): Piece {
  const tag = readVarint(raw, 0);
  const field = type.byNumber.get(tag >>> 3);
  if (field === undefined || !accepts(field, tag & 7)) return { tag, field: undefined, raw, parts: [] };
  if ((tag & 7) !== 2) return { tag, field, raw, parts: [] };
  const body = afterVarint(raw, 0);
  return { tag, field, raw, parts: [raw.subarray(afterVarint(raw, body))] };
}

/** Puts the fields where readers expect them; the order of elements of one field stays. */
function arrange(type: Message, pieces: readonly Piece[]): Piece[] {
  const isKnown = (piece: Piece) => piece.field !== undefined;
  if (type === keyValue || type === anyValue) {
    const known = pieces.filter(isKnown).sort((a, b) => a.tag - b.tag);
    return [...known, ...pieces.filter((piece) => !isKnown(piece))];
  }
  const moved = moveDeprecated(pieces);
  const first = moved.findIndex((piece) => piece.field?.isAttributes === true);
  if (first < 0) return moved;
  const isAttribute = (piece: Piece) => piece.field?.isAttributes === true;
  const others = moved.filter((piece) => !isAttribute(piece));
  return [...others.slice(0, first), ...moved.filter(isAttribute), ...others.slice(first)];
}

function moveDeprecated(pieces: readonly Piece[]): Piece[] {
  const present = new Set(pieces.map((piece) => piece.field?.number));
  return pieces.flatMap((piece) => {
    const target = piece.field?.movesTo;
    if (target === undefined) return [piece];
    return present.has(target) ? [] : [{ ...piece, tag: target * 8 + 2 }];
  });
}
