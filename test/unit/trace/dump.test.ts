// trace.dat and perf.data, printed by programs that are scripts of this test:
// what they print, how they end, and what becomes of them.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTrace } from "../../../lib/index.js";
import { rejectionOf } from "../thrown.js";
import { hasAddon } from "../with-addon.js";
import { rowsOf } from "./records.js";

const folder = mkdtempSync(join(tmpdir(), "gpalias-dump-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LINE =
  " CPU 0/KVM-7 [000] 1.000001000: kvm_page_fault: vcpu 0 rip 0x1 address 0x2000 error_code 0x182\n";
const PERF_LINE =
  " CPU 0/KVM 7 [000] 1.000001000: kvm:kvm_page_fault: vcpu 0 rip 0x1 address 0x2000 error_code 0x182\n";
const TRACE_DAT = Buffer.concat([Buffer.from("\x17\x08\x44tracing6\0", "latin1"), Buffer.alloc(100)]);
const PERF_DATA = Buffer.concat([Buffer.from("PERFILE2"), Buffer.alloc(100)]);
const path = process.env["PATH"] ?? "";

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** Puts a program in front of PATH that notes its arguments and pid and runs `body`. */
function program(name: string, body: string): void {
  const script = `#!/bin/sh\necho "$@" > ${folder}/arguments\necho $$ > ${folder}/pid\n${body}\n`;
  chmodSync(file(name, script), 0o755);
}

const argumentsGiven = () => readFileSync(join(folder, "arguments"), "utf8").trim();

function isRunning(): boolean {
  try {
    process.kill(Number(readFileSync(join(folder, "pid"), "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}

async function endsSoon(): Promise<boolean> {
  for (let tries = 0; tries < 100 && isRunning(); tries++) await sleep(20);
  return !isRunning();
}

describe.skipIf(!hasAddon)("a dump", () => {
  const dat = file("guest.dat", TRACE_DAT);
  const read = async (source: string | Readable) =>
    rowsOf((await openTrace(source)).batches({ extra: true, size: 64 }));

  beforeEach(() => {
    process.env["PATH"] = `${folder}${delimiter}${path}`;
  });
  afterEach(() => {
    process.env["PATH"] = path;
    for (const name of ["trace-cmd", "perf", "arguments", "pid"]) rmSync(join(folder, name), { force: true });
  });

  test.each([
    ["trace-cmd", TRACE_DAT, LINE, "report -t -i"],
    ["perf", PERF_DATA, PERF_LINE, "script --ns --show-lost-events -i"],
  ])("is printed by %s, and read again if it is read again", async (name, bytes, line, args) => {
    const source = file("any-name", bytes);
    file("text", line.repeat(1000));
    program(name, `cat ${folder}/text`);
    const trace = await openTrace(source);
    expect([trace.format, trace.path, trace.rewindable]).toEqual(["ftrace", source, true]);
    for (let pass = 0; pass < 2; pass++) {
      const rows = await rowsOf(trace.batches({ extra: true }));
      expect(rows).toHaveLength(1000);
      expect(rows[999]?.slice(0, 6)).toEqual([0x2000, 0, 0x182, 0, 0, 2]);
    }
    expect(argumentsGiven()).toBe(`${args} ${source}`);
    expect(await trace.sha256()).toMatch(/^[0-9a-f]{64}$/);
  });

  test("that is compressed or comes as a stream is kept in a file, which is gone afterwards", async () => {
    program("trace-cmd", `cmp -s ${dat} "$4" && printf '${LINE.trim()}\\n'`);
    for (const source of [file("packed.dat.gz", gzipSync(TRACE_DAT)), Readable.from([TRACE_DAT])]) {
      expect(await read(source)).toHaveLength(1);
      const copy = argumentsGiven().split(" ").at(-1) ?? "";
      expect([copy === dat, existsSync(copy)]).toEqual([false, false]);
    }
  });

  test("without its program says what to install, and what to do elsewhere", async () => {
    process.env["PATH"] = folder;
    const error = await rejectionOf(read(dat));
    expect(error.code).toBe("ERR_UNSUPPORTED");
    expect(error.message).toBe(
      `${dat} is a trace.dat, which only trace-cmd can read, and trace-cmd is not installed here: install the ` +
        `package trace-cmd, or run "trace-cmd report -t -i trace.dat | gzip > trace.txt.gz" where it was ` +
        "recorded and take trace.txt.gz",
    );
    expect((await rejectionOf(read(file("p", PERF_DATA)))).message).toContain("linux-perf");
  });

  test("whose program may not be run says so", async () => {
    file("trace-cmd", "");
    chmodSync(join(folder, "trace-cmd"), 0o644);
    process.env["PATH"] = folder;
    expect((await rejectionOf(read(dat))).message).toContain("trace-cmd cannot be run (EACCES)");
  });

  test("whose program fails is refused with what it said, whatever it printed before", async () => {
    program("trace-cmd", `printf '${LINE.trim()}\\n'; echo "bad page" >&2; exit 3`);
    const error = await rejectionOf(read(dat));
    expect(error).toMatchObject({ name: "TraceError", code: "ERR_TRACE", format: "ftrace" });
    expect(error.message).toBe(
      `${dat}: trace-cmd could not print this trace.dat, and ended with status 3; it said: bad page`,
    );
  });

  test("whose program dies in the middle of a line is refused for that, not for the line", async () => {
    program("trace-cmd", `printf '${LINE.trim()}\\n CPU 0/KVM-7 [000] 1.0: kvm_pa'; kill -9 $$`);
    expect((await rejectionOf(read(dat))).message).toContain("ended with SIGKILL; it said nothing");
  });

  test("whose program says a megabyte is read, and the end of what it said is kept", async () => {
    program(
      "trace-cmd",
      `head -c 1000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo "the reason" >&2; exit 1`,
    );
    const { message } = await rejectionOf(read(dat));
    expect(message.length).toBeLessThan(3000);
    expect(message.endsWith("the reason")).toBe(true);
  });

  test("whose program prints something else is refused as any text would be", async () => {
    program("trace-cmd", "echo cpus=8");
    expect((await rejectionOf(read(dat))).message).toContain("holds no events");
  });

  test("that is aborted, or whose reader goes away, ends its program", async () => {
    program("trace-cmd", `cat ${file("lines", LINE.repeat(200))}; exec sleep 60`);
    const abort = new AbortController();
    const trace = await openTrace(dat);
    const reading = rejectionOf(rowsOf(trace.batches({ size: 64, signal: abort.signal })));
    setTimeout(() => abort.abort(), 300);
    expect((await reading).code).toBe("ERR_ABORTED");
    expect(await endsSoon()).toBe(true);
    for await (const batch of trace.batches({ size: 64 })) if (batch.count > 0) break;
    expect(await endsSoon()).toBe(true);
  });

  test("is not believed to be one by its name", async () => {
    expect(await read(file("trace.dat", LINE))).toHaveLength(1);
    expect((await rejectionOf(read(file("short.dat", TRACE_DAT.subarray(0, 9))))).message).toContain(
      "expected one of the formats",
    );
  });
});
