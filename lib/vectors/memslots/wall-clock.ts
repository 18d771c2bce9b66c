/**
 * The guest write that the vectors ask for: KVM fills in a wall clock at a
 * guest address (KVM: kvm_write_wall_clock(), v6.18).
 *
 * A version word is read and made odd, the structure is written, and the
 * version is made even. What is read and written is in the process' memory;
 * which pieces of an access are done is the engine's answer.
 */
import type { NativeTransfer, NativeVm } from "../../native/addon-types.js";
import { ProcessMemory } from "./process-memory.js";

const VERSION_BYTES = 4;
const STRUCTURE_BYTES = 12;

export function writeWallClock(vm: NativeVm, memory: ProcessMemory, gpa: bigint): void {
  if (gpa === 0n) return;
  const version = readWord(vm, memory, gpa);
  if (version === undefined) return;
  const odd = (version + 1 + (version % 2)) % 2 ** 32;
  if (!write(vm, memory, gpa, bytesOf(odd, VERSION_BYTES))) return;
  // Seconds and nanoseconds are the host's; nobody reads them back.
  write(vm, memory, gpa, bytesOf(odd, STRUCTURE_BYTES));
  write(vm, memory, gpa, bytesOf((odd + 1) % 2 ** 32, VERSION_BYTES));
}

function readWord(vm: NativeVm, memory: ProcessMemory, gpa: bigint): number | undefined {
  const transfer = vm.guestRead(gpa, VERSION_BYTES);
  const places = placesOf(transfer);
  if (transfer.faulted || !places.every(ProcessMemory.isMapped)) return undefined;
  return places.reduceRight((word, hva) => word * 256 + memory.read(hva), 0);
}

/** False if a piece could not be written; those before it are. */
function write(vm: NativeVm, memory: ProcessMemory, gpa: bigint, bytes: readonly number[]): boolean {
  // Where the process has nothing mapped a copy fails before KVM marks the page.
  const mapped = placesOf(vm.guestRead(gpa, bytes.length)).findIndex((hva) => !ProcessMemory.isMapped(hva));
  const length = mapped === -1 ? bytes.length : mapped;
  const transfer = vm.guestWrite(0, gpa, length);
  for (const [at, hva] of placesOf(transfer).entries()) memory.write(hva, bytes[at] as number);
  return !transfer.faulted && length === bytes.length;
}

/** The host address of each byte that was reached. */
function placesOf({ hva, bytes }: NativeTransfer): number[] {
  return Array.from(hva, (start, piece) =>
    Array.from({ length: bytes[piece] as number }, (_, at) => start + at),
  ).flat();
}

/** Little-endian, zeros behind. */
function bytesOf(word: number, length: number): number[] {
  return Array.from({ length }, (_, at) => (at < VERSION_BYTES ? Math.floor(word / 256 ** at) % 256 : 0));
}
