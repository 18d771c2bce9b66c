// A recorded boot, decoded and replayed: the capture under examples/, repeated
// until it is long enough, uncompressed, one thread.
//
// Every repetition after the first finds the guest's memory mapped, so most
// records are hits; the first is the boot as it was.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { createVm, openTrace, readMemslots, replay } from "gpalias";
import { root } from "../../scripts/process.mjs";

const REPEATS = 25;
const example = (name) => join(root, "examples", `boot-q35-2c-1g.${name}`);

function repeatedFile(name) {
  const folder = mkdtempSync(join(tmpdir(), "gpalias-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "trace");
  const once = brotliDecompressSync(readFileSync(example(name)));
  writeFileSync(path, Buffer.concat(Array.from({ length: REPEATS }, () => once)));
  return path;
}

async function replayed(path, memslots) {
  const trace = await openTrace(path, { hash: false });
  const vm = createVm({ vcpus: 2 });
  try {
    for (const slot of memslots) vm.memslots.add(slot);
    return await replay(vm, trace, { threads: 1 });
  } finally {
    vm.close();
  }
}

// From the capture's own counts: 71,387 pages touched and mapped once, the rest
// of each boot's RAM accesses hits from then on, MMIO and ROM writes emulated.
function check({ input, outcomes, stats }, { accesses, emulated }) {
  const fixed = 71_387;
  const hit = REPEATS * (accesses - emulated) - fixed;
  const wanted = { hit, fixed, emulate: REPEATS * emulated };
  const got = JSON.stringify({ hit: outcomes.hit, fixed: outcomes.fixed, emulate: outcomes.emulate });
  if (got !== JSON.stringify(wanted)) throw new Error(`outcomes ${got}, expected ${JSON.stringify(wanted)}`);
  if (input.accesses !== REPEATS * accesses) throw new Error(`accesses: ${input.accesses}`);
  if (stats.pages_4k !== fixed) throw new Error(`pages_4k: ${stats.pages_4k}`);
}

const boot = ({ name, what, file, ...counts }) => ({
  name,
  what,
  isAsync: true,
  async prepare() {
    const path = repeatedFile(file);
    const memslots = await readMemslots(example("json"));
    let result;
    return {
      events: REPEATS * counts.records,
      async run() {
        result = await replayed(path, memslots);
      },
      verify: () => check(result, counts),
    };
  },
});

export default [
  boot({
    name: "boot-text",
    what: `decode and replay of a boot's kvm_page_fault lines, ${REPEATS} times over`,
    file: "kvm_page_fault.txt.br",
    records: 80_360,
    accesses: 80_360,
    // Writes to ROM, and the first touch of each MMIO page: the text has no other.
    emulated: 53 + 16,
  }),
  boot({
    name: "boot-binary",
    what: `decode and replay of a boot's binary capture, MMIO included, ${REPEATS} times over`,
    file: "faults.bin.br",
    records: 139_387,
    accesses: 139_386,
    emulated: 53 + 59_042,
  }),
];
