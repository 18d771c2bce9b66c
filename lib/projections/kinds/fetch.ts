/** Instruction fetches through the alias that allows nothing else. */
import { ACCESS_BITS } from "../../columns/event-batch.js";
import { partsOf } from "../arguments.js";
import { defineProjection } from "../projection.js";

const SYNTAX = "fetch";
/** An access that also reads or writes cannot go through an execute-only alias. */
const FETCH_ALONE = ACCESS_BITS.fetch;

export default defineProjection({
  name: "fetch",
  syntax: SYNTAX,
  summary: "accesses that only fetch, through the execute-only alias",
  ramOnly: false,
  refusal: ({ executeOnly }) => (executeOnly ? undefined : "used with a preset whose alias is execute-only"),
  open: (text) => {
    partsOf(text, SYNTAX, /^fetch$/);
    return { text, next: (_gpa, _gfn, access) => (access === FETCH_ALONE ? 1 : 0) };
  },
});
