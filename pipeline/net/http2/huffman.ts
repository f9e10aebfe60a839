/**
 * Huffman coding of HPACK, decoded four bits at a time by an automaton whose states are the inner nodes of the code's tree.
 * @see RFC 7541, appendix B.
 */

/** The length of each byte's code in bits, in base 36. The code is canonical, so the lengths say it all. */
const lengths =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6" +
  "f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq";

/** The end of the string: never sent, its first bits are the padding. */
const endOfString = { symbol: 256, length: 30 };

/** An entry of the automaton: the next state, a byte that is complete, and whether there is one. */
const stateBits = 9;
const hasSymbol = 1 << 17;
const isBroken = 1 << 18;

/** `table[state * 16 + nibble]`. */
let table: Int32Array | undefined;
/** Whether a string may end in a state: less than a byte of ones since the last symbol. */
let mayEnd: Uint8Array | undefined;

function build(): Int32Array {
  const codes = [...lengths].map((digit, symbol) => ({ symbol, length: Number.parseInt(digit, 36) }));
  const ordered = [...codes, endOfString].sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  // Inner nodes are states; `child` is a state, or ~symbol for a leaf.
  const children: [number, number][] = [[0, 0]];
  let code = 0;
  let before = 0;
  for (const { symbol, length } of ordered) {
    code *= 2 ** (length - before);
    before = length;
    let state = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const branch = (code >>> bit) & 1;
      const node = children[state] as [number, number];
      if (bit === 0) node[branch] = ~symbol;
      else {
        if (node[branch] === 0) node[branch] = children.push([0, 0]) - 1;
        state = node[branch] as number;
      }
    }
    code += 1;
  }
  const built = new Int32Array(children.length * 16);
  for (let state = 0; state < children.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) built[state * 16 + nibble] = step(children, state, nibble);
  }
  mayEnd = new Uint8Array(children.length);
  for (let state = 0, depth = 0; depth < 8; depth++) {
    mayEnd[state] = 1;
    state = children[state]?.[1] ?? 0;
  }
  return built;
}

function step(children: readonly (readonly [number, number])[], from: number, nibble: number): number {
  let state = from;
  let symbol = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[state]?.[((nibble >>> bit) & 1) as 0 | 1] as number;
    if (next === ~endOfString.symbol) return isBroken;
    if (next < 0) symbol = hasSymbol | (~next << stateBits);
    state = Math.max(next, 0);
  }
  return state | symbol;
}

/**
 * Decodes `bytes[start, end)` into `into` and returns how many bytes that are; -1 when it is not valid or does not fit.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  table ??= build();
  let state = 0;
  let written = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const entry = table[state * 16 + ((byte >>> shift) & 15)] as number;
      if ((entry & isBroken) !== 0) return -1;
      if ((entry & hasSymbol) !== 0) {
        if (written === into.length) return -1;
        into[written++] = (entry >>> stateBits) & 255;
      }
      state = entry & ((1 << stateBits) - 1);
    }
  }
  return mayEnd?.[state] === 1 ? written : -1;
}
