/**
 * The guest of a VM: registers and CPUID of its vCPUs, its memory, and where its
 * own tables lead.
 *
 * Types are checked here; what KVM would refuse is refused by the core.
 */
import type { Gpa } from "./address.js";
import { type Access, accessBits } from "./columns/event-batch.js";
import { type Outcome, outcomeOf } from "./columns/outcome-batch.js";
import { TranslationBatch } from "./columns/translation-batch.js";
import type { ResolvedVmConfig } from "./config.js";
import { attempt } from "./errors.js";
import { expectInteger, expectKeys, expectOneOf, wrongType } from "./expect.js";
import { faultOf, type GuestFault, type GuestTranslation, translationOf } from "./guest-translation.js";
import {
  cpuidOf,
  type GuestCpuid,
  type GuestRegisters,
  type NestedPaging,
  nestedWords,
  registersOf,
  word,
  wordsOf,
} from "./guest-vcpu.js";
import type { NativeVm } from "./native/addon-types.js";
import { expectU64, NativeCalls } from "./vm-calls.js";

export interface VcpuOption {
  /** @default 0 */
  readonly vcpu?: number;
}

export interface TranslateOptions extends VcpuOption {
  /** The access is by code at CPL 3. @default false */
  readonly user?: boolean;
  /** The CPU itself reads on the supervisor's behalf, a descriptor say: EFLAGS.AC has no say. @default false */
  readonly implicit?: boolean;
  /** Lists every entry that was read, of both kinds of table. @default false */
  readonly references?: boolean;
}

/** Guest memory as its VMM has it mapped: zero until it is written. Nothing is dirty by these calls. */
export interface GuestMemory {
  /**
   * @param gpa an integer in [0, 2^64), without alias bits
   * @param bytes at most 2^30 of them; whole, or not at all
   * @throws MmuError `ERR_GUEST_MEMORY` (EFAULT) where no slot holds all of it, `ERR_OUT_OF_MEMORY`
   */
  write(gpa: Gpa | bigint, bytes: Uint8Array): void;
  /** A copy. @throws as {@link GuestMemory.write} */
  read(gpa: Gpa | bigint, bytes: number): Uint8Array;
}

/** Every method throws MmuError `ERR_CLOSED` once the VM is closed and `ERR_BUSY` while a run is in flight. */
export interface VmGuest {
  readonly memory: GuestMemory;
  /**
   * KVM_SET_CPUID2, as far as paging asks. A vCPU that was told nothing has what a VMM would say: the width of the VM's
   * addresses without alias bits, and every feature.
   *
   * @throws MmuError `ERR_VCPU` (EINVAL)
   */
  setGuestCpuid(cpuid: GuestCpuid, options?: VcpuOption): void;
  /**
   * KVM_SET_SREGS, and RFLAGS and PKRU: what is not given stays. With PAE paging, the four root entries are loaded.
   *
   * @throws MmuError `ERR_REGISTERS` (EINVAL) for what KVM refuses (kvm_is_valid_sregs(), v6.16); `ERR_UNSUPPORTED`
   * (EOPNOTSUPP) for 32-bit tables in a VM that has alias bits; `ERR_VCPU` (EINVAL)
   */
  setGuestRegisters(registers: Partial<GuestRegisters>, options?: VcpuOption): void;
  guestRegisters(options?: VcpuOption): GuestRegisters;
  /**
   * The guest itself loads CR3 (KVM: kvm_set_cr3(), v6.16). With PAE paging, the four root entries are loaded. Where KVM
   * shadows the guest's tables, the vCPU keeps three roots behind the one that it has, and may come back to them.
   *
   * @param cr3 an integer in [0, 2^64)
   * @throws MmuError `ERR_REGISTERS` (EINVAL), and nothing changed, where the guest gets a #GP; `ERR_VCPU` (EINVAL)
   */
  loadGuestCr3(cr3: number | bigint, options?: VcpuOption): void;
  /**
   * From now on the guest's tables lie, and lead, in the memory of a hypervisor that is a guest itself: each address on
   * the way goes through that one's tables. `null` ends it.
   *
   * @throws MmuError `ERR_REGISTERS` (EINVAL); `ERR_UNSUPPORTED` (EOPNOTSUPP) in a VM that has alias bits
   */
  setNestedPaging(nested: NestedPaging | null, options?: VcpuOption): void;
  /**
   * Whose addresses accesses have from now on, those of events too: `gpa`, as at first, or `gva`. Each access then is a
   * two-dimensional walk by its vCPU's registers: it reaches the guest's tables as accesses to their pages, writes where the
   * host keeps Accessed and Dirty, and then the page. In an event the column `gpa` has the GVA as a signed number, from -2^56
   * to 2^56 - 1, as a canonical address is, and the column `access` 8 more for code at CPL 3. What the guest's own tables
   * refuse is `retry`, and {@link VmGuest.guestFault} says why; an address that the VM does not have is `emulate`.
   */
  setAddressing(addresses: "gpa" | "gva"): void;
  /** What the guest's tables refused of the vCPU's last access by GVA; undefined if they did not. */
  guestFault(options?: VcpuOption): GuestFault | undefined;
  /**
   * KVM's walk of the guest's tables (KVM: FNAME(walk_addr_generic), v6.16). Accessed and Dirty are set, and logged, as
   * they are by it; `"read"` and no option is KVM_TRANSLATE. Whether the address is canonical nobody asks.
   *
   * @param gva an integer in [0, 2^64)
   * @throws MmuError `ERR_VCPU` (EINVAL)
   */
  translate(
    gva: number | bigint,
    access: Access | readonly Access[],
    options?: TranslateOptions,
  ): GuestTranslation;
  /**
   * {@link VmGuest.translate} of the rows [0, count) of a batch, in order, all with one access. No row throws; each says how
   * it ended.
   *
   * @throws TypeError or RangeError with code `ERR_CONFIG` for what is no batch; MmuError `ERR_VCPU` (EINVAL),
   * `ERR_OUT_OF_MEMORY`
   */
  translateBatch(
    batch: TranslationBatch,
    access: Access | readonly Access[],
    options?: Omit<TranslateOptions, "references">,
  ): void;
}

const U32 = 2 ** 32 - 1;
const WRITE_CODE = 1n << 1n;
const USER_CODE = 1n << 2n;
const FETCH_CODE = 1n << 4n;
const IMPLICIT_CODE = 1n << 48n;
const [WRITE, FETCH] = [2, 4];
/** Those that KVM_SET_SREGS sets. */
const CONTROL = ["cr0", "cr3", "cr4", "efer", "code64"] as const;

export class NativeGuestCalls extends NativeCalls implements VmGuest {
  readonly memory: GuestMemory;
  protected isAddressedByGva = false;
  readonly #native: NativeVm;
  readonly #usual: { readonly maxphyaddr: number; readonly isAmd: boolean };

  constructor(native: NativeVm, config: ResolvedVmConfig, maxphyaddr: number) {
    super(native, config);
    this.#native = native;
    this.#usual = { maxphyaddr, isAmd: config.host.vendor === "amd" };
    this.memory = memoryOf(native);
  }

  setGuestCpuid(cpuid: GuestCpuid, options: VcpuOption = {}): void {
    const vcpu = vcpuIn("setGuestCpuid", options);
    const { maxphyaddr, isAmd, features } = cpuidOf(cpuid, this.#usual);
    attempt(() => this.#native.setGuestCpuid(vcpu, maxphyaddr, isAmd, features));
  }

  setGuestRegisters(registers: Partial<GuestRegisters>, options: VcpuOption = {}): void {
    const vcpu = vcpuIn("setGuestRegisters", options);
    const words = wordsOf(registers, this.guestRegisters({ vcpu }));
    const isControl = CONTROL.some((name) => registers[name] !== undefined);
    attempt(() => this.#native.setGuestRegisters(vcpu, words, !isControl));
  }

  guestRegisters(options: VcpuOption = {}): GuestRegisters {
    const vcpu = vcpuIn("guestRegisters", options);
    return registersOf(attempt(() => this.#native.guestRegisters(vcpu)));
  }

  loadGuestCr3(cr3: number | bigint, options: VcpuOption = {}): void {
    const vcpu = vcpuIn("loadGuestCr3", options);
    const asked = word("cr3", cr3);
    attempt(() => this.#native.loadGuestCr3(vcpu, asked));
  }

  setNestedPaging(nested: NestedPaging | null, options: VcpuOption = {}): void {
    const vcpu = vcpuIn("setNestedPaging", options);
    if (typeof nested !== "object") throw wrongType("nested", "an object, or null", nested);
    if (nested === null) attempt(() => this.#native.setNestedPaging(vcpu, "none"));
    else {
      const words = nestedWords(nested);
      attempt(() => this.#native.setNestedPaging(vcpu, nested.kind, words));
    }
  }

  setAddressing(addresses: "gpa" | "gva"): void {
    expectOneOf("addresses", addresses, ["gpa", "gva"] as const);
    attempt(() => this.#native.addressByGva(addresses === "gva"));
    this.isAddressedByGva = addresses === "gva";
  }

  guestFault(options: VcpuOption = {}): GuestFault | undefined {
    const vcpu = vcpuIn("guestFault", options);
    const found = attempt(() => this.#native.guestFault(vcpu));
    return found && faultOf(found);
  }

  /** An access while addresses are GVAs: a number is one as it stands in an event, a bigint one of 64 bits. */
  protected accessByGva(gva: number | bigint, bits: number, vcpu: number): Outcome {
    const address = typeof gva === "bigint" ? word("gva", gva) : signedWord(gva);
    return outcomeOf(attempt(() => this.#native.accessGva(vcpu, address, bits)));
  }

  translate(
    gva: number | bigint,
    access: Access | readonly Access[],
    options: TranslateOptions = {},
  ): GuestTranslation {
    expectKeys("translate", options, ["vcpu", "user", "implicit", "references"]);
    const vcpu = vcpuIn("translate", { vcpu: options.vcpu ?? 0 });
    const [address, code] = [word("gva", gva), errorCodeOf(access, options)];
    const wants = flag("references", options.references);
    return translationOf(attempt(() => this.#native.translate(vcpu, address, code, wants)));
  }

  translateBatch(
    batch: TranslationBatch,
    access: Access | readonly Access[],
    options: Omit<TranslateOptions, "references"> = {},
  ): void {
    if (!(batch instanceof TranslationBatch)) throw wrongType("batch", "a TranslationBatch", batch);
    const { block, capacity } = batch;
    const count = expectInteger("count", batch.count, 0, capacity);
    expectKeys("translateBatch", options, ["vcpu", "user", "implicit"]);
    const vcpu = vcpuIn("translateBatch", { vcpu: options.vcpu ?? 0 });
    const code = errorCodeOf(access, options);
    attempt(() => this.#native.translateBatch(vcpu, code, block, capacity, count));
  }
}

/** Of the `access` column, where addresses are GVAs. */
const USER = 8;
export const userBit = (user?: boolean): number => (flag("user", user) ? USER : 0);

const HALF = 2 ** 56;

/** As a canonical address of 64 bits. */
function signedWord(gva: unknown): bigint {
  return BigInt.asUintN(64, BigInt(expectInteger("gva", gva, -HALF, HALF - 1)));
}

function vcpuIn(call: string, options: VcpuOption): number {
  expectKeys(call, options, ["vcpu"]);
  return expectInteger("vcpu", options.vcpu ?? 0, 0, U32);
}

function flag(option: string, value: unknown = false): boolean {
  if (typeof value !== "boolean") throw wrongType(option, "a boolean", value);
  return value;
}

/** Bits of the code that a fault would have. */
function errorCodeOf(access: Access | readonly Access[], { user, implicit }: TranslateOptions): bigint {
  const bits = accessBits(access);
  return (
    (bits & WRITE ? WRITE_CODE : 0n) |
    (bits & FETCH ? FETCH_CODE : 0n) |
    (flag("user", user) ? USER_CODE : 0n) |
    (flag("implicit", implicit) ? IMPLICIT_CODE : 0n)
  );
}

function memoryOf(native: NativeVm): GuestMemory {
  return {
    write: (gpa, bytes) => {
      if (!(bytes instanceof Uint8Array)) throw wrongType("bytes", "a Uint8Array", bytes);
      attempt(() => native.writeGuestMemory(expectU64("gpa", gpa), bytes));
    },
    read: (gpa, bytes) => {
      expectInteger("bytes", bytes, 0, 2 ** 30);
      return attempt(() => native.readGuestMemory(expectU64("gpa", gpa), bytes));
    },
  };
}
