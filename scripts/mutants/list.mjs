// The deliberate bugs, as data: `find` stands once in `file` and becomes
// `replace`. One with `equivalent` changes nothing that can be seen, for the
// reason that it gives; whoever finds it has found that reason wrong.
import { caching } from "./caching.mjs";
import { legacy } from "./legacy.mjs";
import { mapping } from "./mapping.mjs";
import { privateMemory } from "./private-memory.mjs";
import { shadowRoots } from "./shadow-roots.mjs";
import { strategies } from "./strategies.mjs";

export const mutants = [...mapping, ...strategies, ...caching, ...privateMemory, ...legacy, ...shadowRoots];
