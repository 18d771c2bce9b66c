import { describe, expect, test } from "vitest";
import type { Context } from "../../../lib/cli/command.js";
import { listIn, type RunOptions } from "../../../lib/cli/run-options.js";
import { expectRules, statusOf } from "../../../lib/cli/verdict.js";
import { aReplay, aViolation } from "../../support/a-replay.js";
import { rejectionOf, thrownBy } from "../thrown.js";

const RULES = ["alias-stuck", "permission-leak", "stale-translation"];

function aContext(): { context: Context; said: string[] } {
  const said: string[] = [];
  const terminal = { say: (line: string) => said.push(line) };
  const library = async () => ({ rules: () => RULES.map((id) => ({ id, sentence: "" })) });
  return { context: { terminal, library } as unknown as Context, said };
}

const options = (failOn: readonly string[], quiet = false) => ({ failOn, quiet }) as unknown as RunOptions;
const good = aReplay("precise/tdp");
const bad = aReplay("v5-as-posted/tdp", { violations: [aViolation("alias-stuck", 5)] });

describe("--fail-on", () => {
  test.each([
    [["alias-stuck"], 1],
    [["any"], 1],
    [["permission-leak", "alias-stuck"], 1],
    [["permission-leak"], 0],
    [[], 0],
  ])("%j with alias-stuck broken exits %d", (failOn, status) => {
    expect(statusOf(aContext().context, [good, bad], options(failOn))).toBe(status);
  });

  test.each([
    [["flush-wider-than-live"], 1],
    [["any"], 0],
    [["alias-stuck"], 0],
  ])("%j with only an advisory exits %d: it counts where it is named", (failOn, status) => {
    const dear = aReplay("stolen-bits/tdp", { advisories: [aViolation("flush-wider-than-live", 9)] });
    const { context, said } = aContext();
    expect(statusOf(context, [dear], options(failOn))).toBe(status);
    expect(said).toEqual(
      status === 0
        ? []
        : [
            "gpalias: stolen-bits/tdp pays for more than it must: flush-wider-than-live, first at event 41 (exit 1)",
          ],
    );
  });

  test("names run, rule and event on stderr, unless quiet", () => {
    const { context, said } = aContext();
    statusOf(context, [good, bad], options(["any"]));
    expect(said).toEqual([
      "gpalias: v5-as-posted/tdp is unsafe under alias-stuck, first at event 41 (exit 1)",
    ]);
    statusOf(context, [good, bad], options(["any"], true));
    expect(said.length).toBe(1);
  });

  test("a broken rule outweighs lost events, which are told all the same", () => {
    const lossy = { ...bad, input: { ...bad.input, lost: 12 } };
    const { context, said } = aContext();
    expect(statusOf(context, [lossy], options([]))).toBe(3);
    expect(statusOf(context, [lossy], options(["any"]))).toBe(1);
    expect(said.filter((line) => line.includes("lost 12 events")).length).toBe(2);
  });

  test("lost events are no failure where a lossy trace is allowed", () => {
    const lossy = { ...good, input: { ...good.input, verdict: "lossy" as const, lost: 12 } };
    const { context, said } = aContext();
    const allowed = { ...options([]), allowLossy: true } as RunOptions;
    expect(statusOf(context, [lossy], allowed)).toBe(0);
    expect(said).toEqual([]);
    expect(statusOf(context, [lossy], options([]))).toBe(3);
  });

  test("an unknown rule is a wrong command line, and those that exist are named", async () => {
    const error = await rejectionOf(expectRules(aContext().context, ["alias-stuck", "alias-stück"]));
    expect(error.code).toBe("ERR_USAGE");
    expect(error.message).toBe(
      '--fail-on must be any or some of alias-stuck, permission-leak, stale-translation, got "alias-stück"',
    );
    await expectRules(aContext().context, ["any", ...RULES]);
  });

  test.each(["", ",", "a,,b", "a,"])("%j is no list", (text) => {
    expect(thrownBy(() => listIn(text)).message).toBe("expected names separated by commas");
  });
});
