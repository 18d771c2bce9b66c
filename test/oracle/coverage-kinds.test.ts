/**
 * That random sequences leave nothing out: every kind of event that the
 * library knows, every request, every kernel, and both values of every switch
 * of the host, by the library's own lists, so that a new one is missed here.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { EVENT_KINDS } from "../../lib/columns/layout.js";
import { HOST_DEFAULTS, KERNELS } from "../../lib/config/host.js";
import { pairs } from "../support/alias-rows.js";
import { runSeed } from "../support/random.js";
import { type Scenario, scenarios } from "../support/sequence.js";

const SEQUENCES = 600;
/** What these sequences say nothing of: who has it as its whole subject, or that it is wanted still. */
const UNDRAWN_SWITCHES: readonly string[] = [
  // Entries' bits, and nothing else: test/oracle/vectors and native tables.
  ...["vendor", "l1tf"],
  // Native tests.
  "memoryTypes",
];
const UNDRAWN_KERNELS: readonly string[] = ["pvm-6.18"];
const REQUESTS = [
  ...["cap", "clear", "failing-get", "memfd", "collect", "reset-rings"],
  ...["guest-read", "guest-write", "host-mapping", "mmu-pages"],
];

let drawn: readonly Scenario[] = [];

beforeAll(() => {
  const ofAnyPair = fc.constantFrom(...pairs).chain((pair) => scenarios({ pair }));
  drawn = fc.sample(ofAnyPair, { seed: runSeed(), numRuns: SEQUENCES });
});

const stepsDrawn = () => drawn.flatMap(({ steps }) => steps);

describe(`${SEQUENCES} random sequences`, () => {
  test("have events of every kind", () => {
    const kinds = new Set(stepsDrawn().map((step) => (step.kind === "event" ? step.event.kind : undefined)));
    expect(EVENT_KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  test("have every request beside events", () => {
    const kinds = new Set(
      stepsDrawn().map((step) => (step.kind === "log" || step.kind === "host" ? step.request.kind : "")),
    );
    expect(REQUESTS.filter((kind) => !kinds.has(kind as never))).toEqual([]);
  });

  test("have every switch of the host on and off, but those that are somebody else's", () => {
    const isBoth = (name: string): boolean => {
      const values = drawn.map(({ config }) => (config.host as Record<string, unknown>)[name]);
      return values.includes(true) && values.includes(false);
    };
    const missed = Object.keys(HOST_DEFAULTS).filter((name) => !isBoth(name));
    expect(missed.sort()).toEqual([...UNDRAWN_SWITCHES].sort());
  });

  test("have every kernel", () => {
    const missed = KERNELS.filter((kernel) => !drawn.some(({ config }) => config.kernel === kernel));
    expect(missed).toEqual(UNDRAWN_KERNELS);
  });
});
