/** A text trace in a file of its own: a recorded boot's shape, two vCPUs, guest addresses over 1 GiB. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DIFFERENT_LINES = 100_000;
const CODES = ["0x181", "0x182", "0x182", "0x1aa"];

export interface MadeFile {
  readonly path: string;
  /** Of the file. */
  readonly records: number;
  remove(): void;
}

/** Lines of 140 bytes, so many and a few more. */
export function madeTextFile(lines: number): MadeFile {
  const once = madeLines(Math.min(lines, DIFFERENT_LINES));
  const times = Math.ceil(lines / DIFFERENT_LINES);
  const folder = mkdtempSync(join(tmpdir(), "gpalias-bench-"));
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
    process.off("exit", remove);
  };
  process.once("exit", remove);
  const path = join(folder, "trace.txt");
  writeFileSync(path, Buffer.from(once.join("").repeat(times)));
  return { path, records: once.length * times, remove };
}

function madeLines(count: number): readonly string[] {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed;
  };
  return Array.from({ length: count }, (_, i) => {
    const time = `${String(1000 + Math.floor(i / 1000)).padStart(5)}.${String(i % 1000).padStart(6, "0")}`;
    const rip = `ffffffff81${(random() >>> 8).toString(16).padStart(6, "0")}`;
    const gpa = (random() >>> 2).toString(16).padStart(16, "0");
    const task = `       CPU ${i & 1}/KVM-${1000 + (i & 1)}    [00${i & 1}] ..... ${time}: `;
    return `${task}kvm_page_fault: vcpu ${i & 1} rip 0x${rip} address 0x${gpa} error_code ${CODES[i & 3]}\n`;
  });
}
