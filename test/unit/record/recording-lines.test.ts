import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { openTrace, recordingLines } from "../../../lib/index.js";
import { root } from "../../support/source-graph.js";
import { rejectionOf } from "../thrown.js";
import { rowsOf } from "../trace/records.js";
import { hasAddon } from "../with-addon.js";

const tools = readdirSync(join(root, "lib/record/recorders")).map((file) => file.replace(".ts", ""));
/** Those that record more than faults. */
const whole = ["perf", "trace-cmd", "tracefs"];

describe.each(tools)("the lines of %s", (tool) => {
  test.each([undefined, 4711])("are a shell's, for the VM of process %s", async (vm) => {
    const lines = await recordingLines({ tool, ...(vm !== undefined && { vm }) });
    const { status, stderr } = spawnSync("bash", ["-n"], { input: lines, encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(lines.includes("4711")).toBe(vm !== undefined);
    expect(lines).toContain("see whether events were lost");
  });

  test("have a buffer that is as large as was asked for", async () => {
    const [small, large] = await Promise.all(
      [16, 256].map((bufferMiB) => recordingLines({ tool, bufferMiB })),
    );
    const sizes: Readonly<Record<string, readonly [string, string]>> = {
      bpftrace: ["RB_PAGES=4096 ", "RB_PAGES=65536 "],
      perf: ["-m 16M ", "-m 256M "],
      "trace-cmd": ["-b 16384 ", "-b 262144 "],
      tracefs: ["echo 16384 > buffer_size_kb", "echo 262144 > buffer_size_kb"],
    };
    expect(small).toContain(sizes[tool]?.[0]);
    expect(large).toContain(sizes[tool]?.[1]);
  });
});

test.each(whole)(
  "%s records faults, exits, the notifier, dirty rings and the MMU's decisions",
  async (tool) => {
    const lines = await recordingLines({ tool });
    for (const event of [
      "kvm:kvm_page_fault",
      "kvm:kvm_exit",
      "kvm:kvm_unmap_hva_range",
      "kvm:kvm_dirty_ring_push",
    ])
      expect(lines).toContain(event);
    expect(lines).toMatch(/kvmmmu/);
  },
);

test("perf's buffer is a power of two, as perf wants it", async () => {
  expect(await recordingLines({ tool: "perf", bufferMiB: 100 })).toContain("-m 128M ");
});

test("without a tool there are those of all", async () => {
  const lines = await recordingLines();
  for (const tool of tools) expect(lines).toMatch(new RegExp(`^# ${tool}: `, "m"));
});

test.skipIf(!hasAddon)("what bpftrace prints by its line is read as an access", async () => {
  const lines = await recordingLines({ tool: "bpftrace" });
  const [, format = ""] = /printf\("(.*)\\n",/.exec(lines) ?? [];
  const values = ["3", "ffffffff81000001", "0000000000002008", "182", "1500000000"];
  const data = format.replace(/%\d*l*[dxu]/g, () => values.shift() ?? "?");
  expect(values).toEqual([]);
  const text = `{"type": "attached_probes", "data": {"probes": 1}}\n{"type": "printf", "data": "${data}\\n"}\n`;
  const rows = await rowsOf((await openTrace(Readable.from([Buffer.from(text)]))).batches({ extra: true }));
  expect(rows).toEqual([[0x2008, 0, 0x182, 3, 0, 2, 1.5, 0x8100_0001, 0xffff_ffff]]);
});

test.each([
  [{ tool: "strace" }, /tool must be one of/],
  [{ vm: 0 }, /vm must be an integer from 1/],
  [{ bufferMiB: 0.5 }, /bufferMiB must be an integer from 1/],
  [{ buffer: 5 }, /recordingLines has no key "buffer"/],
])("%j is refused", async (options, sentence) => {
  const error = await rejectionOf(recordingLines(options as { tool: string }));
  expect([error.code, sentence.test(error.message)]).toEqual(["ERR_CONFIG", true]);
});
