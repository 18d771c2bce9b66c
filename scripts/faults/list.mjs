// Faults that the engine can be made to have, as data: `find` stands once in
// `file` and becomes `replace`, in which FAULT is true for the one fault that a
// process asks for. One with `after` is a change of what another has put there.
// One with `survives` is reported by no check, for the reason that it gives.
// One with `by` is for that hunter to find; without, for the checks.
import { books } from "./books.mjs";
import { dirty } from "./dirty.mjs";
import { flushes } from "./flushes.mjs";
import { mapping } from "./mapping.mjs";
import { walks } from "./walks.mjs";

export const faults = [...flushes, ...dirty, ...mapping, ...books, ...walks];
