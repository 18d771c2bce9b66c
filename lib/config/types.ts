/** The options of a VM, as its user writes them and as they are once resolved. Types only. */

/** A set-associative TLB of each vCPU for 4K pages, least recently used out first; larger leaves are kept in parts. */
export interface TlbConfig {
  /** Entries of a vCPU's TLB: 1 to 1048576, a multiple of `ways`. @default 1536 */
  readonly entries?: number;
  /** Entries of a set: 1 to 64. @default 12 */
  readonly ways?: number;
}

/** What a TLB can hold as one entry. */
export type TlbPageSize = "4K" | "2M" | "1G";

/** One set-associative array of a TLB, least recently used out first. */
export interface TlbArray {
  /** 1 to 1048576, a multiple of `ways`. */
  readonly entries: number;
  /** Entries of a set: 1 to 64. */
  readonly ways: number;
  /** Page sizes that it holds: one at least. A size in several arrays has the sets of all of them. */
  readonly sizes: readonly TlbPageSize[];
}

/** Links that a vCPU remembers, by the level they stand at: 0 to 64 each, least recently used out first. */
export interface PagingStructureCaches {
  /** Links to tables of 4K pages. @default 0 */
  readonly pde?: number;
  /** @default 0 */
  readonly pdpte?: number;
  /** @default 0 */
  readonly pml4e?: number;
  /** Of roots with five levels. @default 0 */
  readonly pml5e?: number;
}

/** A TLB of several arrays. */
export interface TlbArraysConfig {
  /** One to eight; one of them holds 4K. A leaf that is larger than all sizes held is kept in parts. */
  readonly arrays: readonly TlbArray[];
  /** Paging-structure caches. @default none */
  readonly pagingStructureCaches?: PagingStructureCaches;
}

/** A TLB of several arrays with every default filled in. */
export interface ResolvedTlbArrays {
  /** The preset that it is, where one was named. */
  readonly preset?: string;
  readonly arrays: readonly TlbArray[];
  readonly pagingStructureCaches: Required<PagingStructureCaches>;
}

/** The TLB of each vCPU; false for none. */
export type ResolvedTlb = false | Required<TlbConfig> | ResolvedTlbArrays;

/** How the guest's own page tables are laid out. */
export type GuestPaging = "long" | "pae" | "32" | "shadow-ept";

/** Which of KVM's MMUs: the TDP MMU, or the one with shadow pages and reverse maps. */
export type Flavour = "tdp" | "rmap";

/** How guest-physical addresses alias each other. */
export interface AliasConfig {
  /** How the MMU treats alias bits: a name that `strategies()` lists. @default "none" */
  readonly strategy?: string;
  /**
   * Which address bits are alias bits: `none`, `tdx47`, `tdx51`, `xo:<bit>`, `sev:<bit>`, `hyperv:<bit>`,
   * `vtom:<address>`, `cca:<ipa bits>`, or `bits:<b>[,<b>...]`. They are the top bits of a gpa.
   * @default "none"
   */
  readonly preset?: string;
}

/** How the modelled host and its KVM are set up: module parameters, quirks, the processor. Every field is optional. */
export interface HostOptions {
  /** Whose tables: EPT or NPT. @default "intel" */
  readonly vendor?: Vendor;
  /** Hardware sets Accessed and Dirty (`eptad`). @default true */
  readonly adBits?: boolean;
  /** Page-modification log, in use while a slot is logged. @default false */
  readonly pml?: boolean;
  /** iTLB multihit workaround (`nx_huge_pages`). @default false */
  readonly nxHugePages?: boolean;
  /** Huge pages are split when logging begins (`eager_page_split`). @default true */
  readonly eagerPageSplit?: boolean;
  /** Frames without a memslot get MMIO entries (`mmio_caching`). @default true */
  readonly mmioCaching?: boolean;
  /** MMIO entries as the L1TF mitigation has them. @default false */
  readonly l1tf?: boolean;
  /** Guest MTRRs count, as with non-coherent DMA on older kernels. @default false */
  readonly memoryTypes?: boolean;
  /** `KVM_X86_QUIRK_SLOT_ZAP_ALL`: a slot that goes invalidates every root. @default true */
  readonly slotZapAll?: boolean;
  /** The guest takes asynchronous page faults. @default false */
  readonly asyncPageFaults?: boolean;
  /** The APIC-access page is mapped; else accesses to it are emulated. @default true */
  readonly apicv?: boolean;
}

export type Vendor = "intel" | "amd";
export type Kernel = "6.16" | "5.10" | "pvm-6.18";
/** Whose tracepoints: `6.1` stands for the kernels between the two others. */
export type TraceRelease = "6.16" | "6.1" | "5.10";

/** With every default filled in. */
export type ResolvedHost = Required<HostOptions>;

/** Every field is optional: `createVm()` is a VM with 48-bit addresses and no aliases. */
export interface VmConfig {
  /** How many bits a gpa has, those that alias included: 32 to 52, or what the preset fixes. @default 48 */
  readonly addressBits?: number;
  /**
   * How many levels the page tables have, the root's among them; 4 reach 2^48. A preset fixes it.
   * @default 5 if `addressBits` is above 48, else 4
   */
  readonly rootLevel?: 4 | 5;
  /**
   * Physical width of the modelled host (CPUID 0x80000008 EAX[7:0]): 36 to 52
   * and at least `addressBits`. It bounds the gfns that KVM maps.
   * @default 46, or `addressBits` if that is larger
   */
  readonly hostMaxphyaddr?: number;
  /** Virtual CPUs: 0 to 65536. With 0, `vm.createVcpu` makes the first, after what must come before it. @default 1 */
  readonly vcpus?: number;
  readonly alias?: AliasConfig;
  /** Which of KVM's MMUs is modelled. @default "tdp" */
  readonly mmu?: Flavour;
  /**
   * Who flushes ranges for KVM: nobody (`none`, as on bare metal), Hyper-V's hypercall with its list's capacity
   * (`hyperv`), or one whose every k-th call fails (`fail:<k>`).
   * @default "none"
   */
  readonly flushProvider?: string;
  /**
   * The TLB of each vCPU: true is 1536 entries of 4K in 12 ways; or another size of that; or arrays by page size; or the
   * name of a real part, which `tlbPresets` lists.
   * @default false
   */
  readonly tlb?: boolean | string | TlbConfig | TlbArraysConfig;
  /** Give the VM KVM's own slots: TSS, identity map, APIC access page. @default false */
  readonly internalSlots?: boolean;
  /** Alias bits need 64-bit guest paging: `long` or `pae`. @default "long" */
  readonly guestPaging?: GuestPaging;
  /**
   * How the other side of a mirrored table answers, for a strategy that has one: always well (`ok`), or every
   * k-th time busy or not at all (`busy:<k>`, `fail:<k>`).
   * @default "ok"
   */
  readonly externalTables?: string;
  /** Answer each `memoryFault` as a VMM would: convert the page, and let the access try again. @default false */
  readonly convertOnExit?: boolean;
  /**
   * Whose KVM is modelled: Linux 6.16, an old one, or the shadow-paging build of 6.18 that answered the recorded
   * vectors.
   * @default "6.16"
   */
  readonly kernel?: Kernel;
  /** How the host and its KVM are set up. */
  readonly host?: HostOptions;
  /** Most memory that page tables may take, in bytes: 256 KiB to 16 TiB. @default 16 GiB */
  readonly arenaBytes?: number;
}

/** A configuration with every default filled in. */
export interface ResolvedVmConfig extends Required<Omit<VmConfig, "alias" | "tlb" | "host">> {
  readonly alias: Required<AliasConfig>;
  /** False for no TLB. */
  readonly tlb: ResolvedTlb;
  readonly host: ResolvedHost;
}
