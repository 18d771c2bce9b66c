/** Sends the accesses to the guest's bounce buffer through the shared alias, where TDX guests have it. */
import { partsOf } from "../arguments.js";
import { defineProjection, type ProjectionContext } from "../projection.js";

const SYNTAX = "bounce";

export default defineProjection({
  name: "bounce",
  syntax: SYNTAX,
  summary: "the guest's bounce buffer through the shared alias",
  ramOnly: true,
  refusal: ({ kind, bounce }) => {
    if (kind !== "private-shared") return "used with a preset of private and shared memory";
    if (bounce === undefined) return "used with a capture whose .json names a bounce buffer";
    return undefined;
  },
  open: (text, { bounce }) => {
    partsOf(text, SYNTAX, /^bounce$/);
    const { start, end } = bounce as NonNullable<ProjectionContext["bounce"]>;
    return { text, next: (gpa) => (gpa >= start && gpa < end ? 1 : 0) };
  },
});
