// Text made from data alone, so from results that no capture gives.
import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, type Replay, renderDiagnosis, renderText } from "../../lib/index.js";
import { formatRate, formatSeconds, formatShare } from "../../lib/report/quantities.js";
import { wrap } from "../../lib/report/text-layout.js";
import { BOOT, gpaliasJson } from "./run-cli.js";

describe("quantities", () => {
  test.each([
    [0, "0 bytes"],
    [1023, "1,023 bytes"],
    [1024, "1 KiB"],
    [612_288, "597.9 KiB"],
    [2 ** 20 - 1, "1,024 KiB"],
    [2 ** 30, "1 GiB"],
    [2 ** 52, "4 PiB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [0, 10, "0.0 %"],
    [1, 1_000_000, "<0.1 %"],
    [999_999, 1_000_000, ">99.9 %"],
    [10, 10, "100.0 %"],
    [1, 3, "33.3 %"],
    [0, 0, ""],
  ])("%d of %d is %j: never nothing for something, never all for less", (part, whole, text) =>
    expect(formatShare(part, whole)).toBe(text),
  );

  test.each([
    [57.564684, "57.56 s"],
    [0.1036934, "103.7 ms"],
    [0.0000125, "12.5 us"],
    [3e-9, "3 ns"],
  ])("%d seconds are %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  test("counts are exact, rates are rounded", () => {
    expect(formatCount(4_578_527)).toBe("4,578,527");
    expect(formatRate(4_578_527, "events")).toBe("4.58 M events/s");
    expect(formatRate(1_500, "events")).toBe("1.5 k events/s");
    expect(formatRate(999, "events")).toBe("999 events/s");
  });
});

describe("wrap", () => {
  test("breaks at spaces, keeps long words whole, and loses nothing", () => {
    const text = "one two /a/path/that/is/longer/than/a/line three four";
    const lines = wrap(text, 12);
    expect(lines.join(" ")).toBe(text);
    expect(lines.filter((line) => line.length > 12)).toEqual(["/a/path/that/is/longer/than/a/line"]);
  });

  test("never breaks at a no-break space, and prints it as a space", () => {
    expect(wrap("aaaa 15,366\u00a0rounds", 10)).toEqual(["aaaa", "15,366 rounds"]);
  });
});

describe("renderText", () => {
  const result = async (change: (result: Replay) => unknown): Promise<string> => {
    const replayed: Replay = await gpaliasJson(["replay", BOOT]);
    return renderText({ ...replayed, ...(change(replayed) as object) });
  };

  const lossy = (lost: number, gaps: readonly { before: number; events: number }[]) => {
    return ({ input }: Replay) => ({ input: { ...input, verdict: "lossy", lost, gaps } });
  };

  test("says in capitals that events were lost and where, and lists what was passed over", async () => {
    const gaps = [
      { before: 0, events: 1000 },
      { before: 7, events: 1 },
    ];
    expect(await result(lossy(1001, gaps))).toMatch(
      /LOSSY +1,000 events lost before event 0, 1 before event 7\n/,
    );
    const many = Array.from({ length: 5 }, (_, before) => ({ before, events: 2 }));
    expect(await result(lossy(10, many))).toMatch(/2 before event 2,\s+4 further on\n/);
    expect(await result(lossy(1200, []))).toMatch(/LOSSY +1,200 events lost\n/);
    const skipped = { kvm_exit: 7 };
    expect(await result(({ input }) => ({ input: { ...input, skipped } }))).toMatch(
      /passed over +7 kvm_exit/,
    );
  });

  test("says where time runs backwards", async () => {
    const back = { backwards: 2, backwardsAt: [5, 9] };
    expect(await result(({ input }) => ({ input: { ...input, ...back } }))).toMatch(
      /time runs\s+backwards 2 times, first before event 5\n/,
    );
  });

  test("of a lossy trace it does not say that no rule was broken, unless it may", async () => {
    const replayed: Replay = await gpaliasJson(["replay", BOOT]);
    const missing = { ...replayed, ...lossy(3, [{ before: 1, events: 3 }])(replayed) } as Replay;
    expect(await renderText(replayed)).toMatch(/no violation in 139,387 events/);
    expect(await renderText(missing)).toMatch(/not judged: the trace is lossy/);
    expect(await renderText(missing)).not.toMatch(/no violation/);
    expect(await renderText(missing, { allowLossy: true })).toMatch(/no violation in 139,387 events/);
  });

  test("page sizes are shown with the memory that they map, aliases apart", async () => {
    const leaves = { "0x0": { "4K": 1, "2M": 3, "1G": 2 }, "0x800000000000": { "4K": 5, "2M": 0, "1G": 0 } };
    const text = await result(() => ({ leaves }));
    expect(text).toMatch(/2M +3 +6 MiB/);
    expect(text).toMatch(/1G +2 +2 GiB/);
    expect(text).toMatch(/alias 0x800000000000 +4K +5 +20 KiB/);
  });

  test("an empty VM maps nothing", async () => {
    const text = await result(() => ({ leaves: { "0x0": { "4K": 0, "2M": 0, "1G": 0 } } }));
    expect(text).toContain("Mapped at the end\n  nothing");
  });

  test("a rare outcome still has a bar", async () => {
    const text = await result(({ input }) => ({ outcomes: { hit: input.accesses - 1, spurious: 1 } }));
    expect(text).toMatch(/spurious +1 +<0\.1 % {2}#$/m);
  });

  test("the same result gives the same text", async () => {
    const replayed: Replay = await gpaliasJson(["replay", BOOT]);
    expect(await renderText(replayed)).toBe(await renderText(structuredClone(replayed)));
  });
});

test("a diagnosis with a failure says so at the end and shows the advice", () => {
  const finding = { name: "addon", status: "failure", value: "absent", advice: "build it" } as const;
  const text = renderDiagnosis({ schemaVersion: 1, version: "1.2.3", ok: false, findings: [finding] });
  expect(text).toMatch(/FAIL +addon +absent\n +-> build it\n\ngpalias cannot work here yet/);
});
