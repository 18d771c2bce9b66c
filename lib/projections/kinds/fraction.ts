/** A share of the pages through alias 1, chosen by hash. */
import { outOfRange } from "../../expect.js";
import { partsOf, seedIn } from "../arguments.js";
import { defineProjection } from "../projection.js";
import { HIGH, hashFrame, LOW, newHalves } from "../splitmix64.js";

const SYNTAX = "fraction:<p>,<seed>";
const FORM = /^fraction:(\d+(?:\.\d+)?(?:e[+-]?\d+)?),([^,]+)$/i;
const WORD = 2 ** 32;

export default defineProjection({
  name: "fraction",
  syntax: SYNTAX,
  summary: "a share p of all pages, chosen by hash, through alias 1",
  ramOnly: false,
  open: (text) => {
    const [share, digits] = partsOf(text, SYNTAX, FORM);
    const p = Number(share);
    if (p > 1) throw outOfRange("project: p", "from 0 to 1", p);
    const seed = seedIn(digits as string);
    // hash / 2^64 < p exactly: scaling by 2^64 rounds nothing, and an integer is
    // below a number if and only if it is below that number rounded up.
    const bound = Math.ceil(p * WORD * WORD);
    const [boundHigh, boundLow] = [Math.floor(bound / WORD), bound % WORD];
    const hash = newHalves();
    return {
      text: `fraction:${p},${seed.text}`,
      next: (_gpa, gfn) => {
        hashFrame(seed, gfn, hash);
        const high = hash[HIGH] as number;
        return high < boundHigh || (high === boundHigh && (hash[LOW] as number) < boundLow) ? 1 : 0;
      },
    };
  },
});
