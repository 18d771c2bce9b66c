// What a VM prints of itself, as the library hands it on.
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createVm, openTrace, replay, type Vm } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { recordBytes, someRecords } from "./trace/records.js";
import { hasAddon } from "./with-addon.js";

const MiB = 2 ** 20;

function aVm(): Vm {
  const vm = createVm({ vcpus: 2 });
  vm.memslots.add({ gpa: 0, bytes: 512 * MiB });
  return vm;
}

const textOf = (vm: Vm): string[] =>
  vm
    .takeTrace()
    .split("\n")
    .map((line) => line.slice(line.indexOf(": ") + 2));

describe.skipIf(!hasAddon)("vm.setTrace", () => {
  test("prints nothing until it is on, and nothing once it is off", () => {
    using vm = aVm();
    vm.access(0x1000, "write");
    expect(vm.takeTrace()).toBe("");
    vm.setTrace(true);
    vm.access(0x2000, "write");
    expect(textOf(vm)[0]).toBe("kvm_page_fault: vcpu 0 rip 0x0 address 0x0000000000002000 error_code 0x182");
    expect(vm.takeTrace()).toBe("");
    vm.access(0x3000, "write");
    vm.setTrace(false);
    expect(vm.takeTrace()).toBe("");
  });

  test("prints as the kernel of the VM does, or as another that is named", () => {
    const first = (release: true | "6.1" | "5.10", kernel: "6.16" | "5.10") => {
      using vm = createVm({ kernel });
      vm.memslots.add({ gpa: 0, bytes: MiB });
      vm.setTrace(release);
      vm.access(0x2000, "write");
      return textOf(vm)
        .find((line) => line.startsWith("kvm_mmu_set_spte"))
        ?.split(" ")[4];
    };
    expect(first(true, "6.16")).toBe("8600000000002b77");
    expect(first("6.1", "6.16")).toBe("600000000002b77");
    expect(first(true, "5.10")).toBe("2f77");
    expect(first("5.10", "6.16")).toBe("2f77");
  });

  test("prints the example of docs/model-trace.md", () => {
    using vm = createVm();
    vm.memslots.add({ gpa: 0, bytes: MiB });
    vm.setTrace(true);
    vm.access(0x5000, "write");
    vm.memslots.get(0)?.setDirtyLogging(true);
    vm.access(0x5000, "write");
    const text = readFileSync(new URL("../../docs/model-trace.md", import.meta.url), "utf8");
    expect(text).toContain(`\n${textOf(vm).join("\n")}\`\`\``);
  });

  test("refuses a release that it does not know, and goes on as before", () => {
    using vm = aVm();
    vm.setTrace(true);
    const error = thrownBy(() => vm.setTrace("4.19" as "5.10"));
    expect(error).toMatchObject({ name: "RangeError", code: "ERR_CONFIG" });
    expect(thrownBy(() => vm.setTrace(1 as never))).toMatchObject({ name: "TypeError", code: "ERR_CONFIG" });
    vm.access(0x2000, "write");
    expect(vm.takeTrace()).not.toBe("");
  });

  test("is refused by a closed VM", () => {
    const vm = aVm();
    vm.close();
    expect(thrownBy(() => vm.setTrace(true))).toMatchObject({ code: "ERR_CLOSED" });
    expect(thrownBy(() => vm.takeTrace())).toMatchObject({ code: "ERR_CLOSED" });
  });
});

describe.skipIf(!hasAddon)("replay with onTrace", () => {
  const replayed = async (batchSize?: number) => {
    using vm = aVm();
    vm.setTrace(true);
    const trace = await openTrace(Readable.from([recordBytes(someRecords(600))]));
    const parts: string[] = [];
    let open = 0;
    await replay(vm, trace, {
      ...(batchSize !== undefined && { batchSize }),
      onTrace: async (text) => {
        expect(++open).toBe(1);
        await new Promise((done) => setTimeout(done, 1));
        open--;
        parts.push(text);
      },
    });
    return parts;
  };

  test("hands on the same lines at every batch size, and waits for each", async () => {
    const small = await replayed(7);
    const usual = await replayed();
    expect(small.length).toBeGreaterThan(usual.length);
    expect(small.join("")).toBe(usual.join(""));
    expect(usual.join("")).toContain("kvm_page_fault");
  });

  test("ends with the error of who takes the lines", async () => {
    using vm = aVm();
    vm.setTrace(true);
    const trace = await openTrace(Readable.from([recordBytes(someRecords(600))]));
    const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    await expect(replay(vm, trace, { onTrace: () => Promise.reject(full) })).rejects.toBe(full);
    expect(vm.closed).toBe(false);
  });
});
