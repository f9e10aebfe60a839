import {
  type Envelope,
  parseEnvelope,
  readRecord,
  readRecordHead,
  readSegmentHead,
  recordHeadLength,
  saltLength,
  segmentHeadLength,
  version,
} from "./record.ts";

/** A record of a segment that is as it was stored. */
export interface FoundRecord {
  readonly offset: number;
  readonly length: number;
  readonly storedMs: number;
  readonly envelope: Envelope;
  readonly dataLength: number;
}

/** Bytes of a segment that are no record any more. */
export interface Damage {
  readonly offset: number;
  readonly length: number;
  /** What the damaged record was, when that can still be read. Not to be relied on. */
  readonly envelope?: Envelope;
}

export interface Scan {
  /** Undefined when nothing of the segment could be read. */
  readonly salt: Buffer | undefined;
  readonly records: readonly FoundRecord[];
  readonly damages: readonly Damage[];
  /** Where a write was cut short: what follows was never finished. The length of the file when none was. */
  readonly tornAt: number;
  /** A version of the format that this program does not know; then nothing was looked at. */
  readonly foreignVersion?: number;
}

/** Zeros at the end of a file that a power loss leaves where data was on its way. */
const unwrittenLength = 512;

/**
 * Finds every record of a segment, and what became of the rest. Whatever the bytes, it returns.
 *
 * A record is cut short, not damaged, when the file ends inside of it, or in zeros.
 */
export function scanSegment(bytes: Buffer): Scan {
  const known = readSegmentHead(bytes);
  if (known !== undefined && known.version !== version) {
    return { salt: known.salt, records: [], damages: [], tornAt: bytes.length, foreignVersion: known.version };
  }
  const salt = known?.salt ?? saltOfFirstRecord(bytes);
  if (salt === undefined) return scanNothing(bytes);
  const records: FoundRecord[] = [];
  const damages: Damage[] = [];
  if (known === undefined) damages.push({ offset: 0, length: segmentHeadLength });
  let offset = segmentHeadLength;
  let tornAt = bytes.length;
  while (offset < bytes.length) {
    const found = readRecord(bytes, offset, salt);
    if (found !== undefined) {
      const { head, envelope } = found;
      const { storedMs, length, dataLength } = head;
      records.push({ offset, length, storedMs, envelope, dataLength });
      offset += length;
      continue;
    }
    const next = nextHead(bytes, offset + 1, salt);
    if (next === undefined && isTorn(bytes, offset, salt)) {
      tornAt = offset;
      break;
    }
    const end = damageEnd(bytes, offset, salt, next);
    damages.push(damageAt(bytes, offset, end, salt));
    offset = end;
  }
  return { salt, records, damages, tornAt };
}

function scanNothing(bytes: Buffer): Scan {
  const isUnfinished = bytes.length < segmentHeadLength || isZero(bytes, 0);
  const damages = isUnfinished ? [] : [{ offset: 0, length: bytes.length }];
  return { salt: undefined, records: [], damages, tornAt: isUnfinished ? 0 : bytes.length };
}

/** The salt when the head of the segment is damaged: the first record has it too, and proves it by its own check. */
function saltOfFirstRecord(bytes: Buffer): Buffer | undefined {
  const salt = Buffer.from(bytes.subarray(segmentHeadLength, segmentHeadLength + saltLength));
  return readRecordHead(bytes, segmentHeadLength, salt) && salt;
}

function nextHead(bytes: Buffer, from: number, salt: Buffer): number | undefined {
  for (let at = bytes.indexOf(salt, from); at >= 0; at = bytes.indexOf(salt, at + 1)) {
    if (readRecordHead(bytes, at, salt) !== undefined) return at;
  }
  return undefined;
}

/** Whether the file ends inside the record at `offset`, behind which no other one begins. */
function isTorn(bytes: Buffer, offset: number, salt: Buffer): boolean {
  const head = readRecordHead(bytes, offset, salt);
  if (head !== undefined) return offset + head.length > bytes.length;
  const rest = bytes.length - offset;
  return rest < recordHeadLength || isZero(bytes, Math.max(offset, bytes.length - unwrittenLength));
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let index = from; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

function damageEnd(bytes: Buffer, offset: number, salt: Buffer, next: number | undefined): number {
  const head = readRecordHead(bytes, offset, salt);
  // A sound head tells where its record ends, unless another record begins before that.
  const ownEnd = head === undefined ? bytes.length : Math.min(offset + head.length, bytes.length);
  return next === undefined ? ownEnd : Math.min(next, head === undefined ? next : ownEnd);
}

function damageAt(bytes: Buffer, offset: number, end: number, salt: Buffer): Damage {
  const head = readRecordHead(bytes, offset, salt);
  const from = offset + recordHeadLength;
  const envelope = head && parseEnvelope(bytes.subarray(from, from + head.envelopeLength));
  return { offset, length: end - offset, ...(envelope !== undefined && { envelope }) };
}
