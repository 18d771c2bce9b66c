/** A range of addresses through alias 1. */
import { formatGpa, parseGpa, parseSize } from "../../address.js";
import { outOfRange } from "../../expect.js";
import { partsOf } from "../arguments.js";
import { defineProjection } from "../projection.js";

const SYNTAX = "range:<start>-<end>";

export default defineProjection({
  name: "range",
  syntax: SYNTAX,
  summary: "these addresses through alias 1, the end excluded",
  ramOnly: false,
  open: (text) => {
    const [first, last] = partsOf(text, SYNTAX, /^range:([^-]+)-([^-]+)$/);
    const start = parseGpa(first as string, "project: start");
    const end = parseSize(last as string, "project: end");
    if (start >= end) throw outOfRange("project", "a range that ends behind its start", text);
    return {
      text: `range:${formatGpa(start)}-${formatGpa(end)}`,
      next: (gpa) => (gpa >= start && gpa < end ? 1 : 0),
    };
  },
});
