// docs/schema/verify-kvm.schema.json against documents with a difference and
// without, made beside an engine in place of a kernel.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { kernelOf } from "../../lib/kvm/kernel.js";
import { liveKinds } from "../../lib/kvm/registry.js";
import { SideBySideRun } from "../../lib/kvm/side-by-side.js";
import type { KvmVerification } from "../../lib/kvm/types.js";
import { loadAddon } from "../../lib/native/addon.js";
import { renderKvmVerification } from "../../lib/report/renderers.js";
import { vectorKinds } from "../../lib/vectors/registry.js";
import { EngineKvm } from "../support/engine-kvm.js";
import { root } from "../support/source-graph.js";

const schema = JSON.parse(readFileSync(join(root, "docs/schema/verify-kvm.schema.json"), "utf8"));
const isValid = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

class RefusesReset extends EngineKvm {
  override resetRings = () => ["ENOSPC", 0] as const;
}

async function documentBeside(live: EngineKvm, cases: number): Promise<KvmVerification> {
  const kernel = kernelOf(live, "/dev/kvm");
  const kinds = (await liveKinds()).filter(({ name }) => name === "memslots");
  const parties = { live, kernel, addon: loadAddon(), liveKinds: kinds, vectorKinds: await vectorKinds() };
  const played = await new SideBySideRun(parties, {}).play(1, cases);
  return { schemaVersion: 1, seed: 1, ...played, kernel: kernel.told };
}

const same = await documentBeside(new EngineKvm(), 5);
const different = await documentBeside(new RefusesReset(), 1000);

describe("a document of verify kvm", () => {
  test("obeys its schema, with a difference and without", () => {
    expect(different.difference).not.toBeNull();
    for (const document of [same, different]) {
      isValid(document);
      expect(isValid.errors).toBeNull();
    }
  });

  test.each<[string, (document: Record<string, unknown>) => unknown]>([
    ["without its seed", (d) => delete d["seed"]],
    ["without a word on differences", (d) => delete d["difference"]],
    ["with a field that nobody described", (d) => Object.assign(d, { extra: 1 })],
    ["whose kernel is not told", (d) => Object.assign(d, { kernel: {} })],
    ["of no kind", (d) => Object.assign(d, { kinds: [] })],
    ["whose difference has one answer", (d) => delete (d["difference"] as Record<string, unknown>)["engine"]],
  ])("%s does not", (_, damage) => {
    const document = structuredClone(different) as unknown as Record<string, unknown>;
    damage(document);
    expect(isValid(document)).toBe(false);
  });
});

describe("the text of verify kvm", () => {
  test("says that every answer was the same, and of what kernel", () => {
    const text = renderKvmVerification(same);
    expect(text).toMatch(/^5 scripts of seed 1: every answer the same\n/);
    expect(text).toContain("memslots    5 scripts");
    expect(text).toContain(same.kernel.release);
  });

  test("says how many scripts the kernel answered in two ways, if any", () => {
    expect(renderKvmVerification(same)).not.toContain("unsteady");
    expect(renderKvmVerification({ ...same, unsteady: 2 })).toContain(
      "unsteady    2 scripts: the kernel's own answers",
    );
  });

  test("has both answers, the script, and the vector whole, however narrow it is", () => {
    const text = renderKvmVerification(different, { columns: 40 });
    expect(text).toContain('kernel      ["ENOSPC",0]');
    expect(text).toContain('engine      ["EINVAL",0]');
    expect(text).toContain('    1  ["reset"]');
    expect(text.trimEnd().split("\n").at(-1)).toBe(JSON.stringify(different.difference?.vector));
  });

  test("says why a kind was not asked", () => {
    const kinds = [{ kind: "memslots", cases: 0, notAsked: "it counts no flushes" }];
    expect(renderKvmVerification({ ...same, cases: 0, kinds })).toContain("not asked: it counts no flushes");
  });
});
