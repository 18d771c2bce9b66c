/** What the numbers mean that KVM_SET_USER_MEMORY_REGION takes. */

/** Bits of `flags`: KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, KVM_MEM_GUEST_MEMFD. */
export const MEMSLOT_FLAGS = { logDirty: 1, readonly: 2, guestMemfd: 4 } as const;

/** A slot's number is its id, and its address space times this. */
export const ID_STEP = 65_536;
