// Wrong rules of guest walks, registers and memslots, for the machine's own
// KVM to find: `verify kvm` plays random scripts to both until one answer differs.
const BY = { by: "kvm" };

export const walks = [
  {
    ...BY,
    name: "bit 12 of a large page is reserved",
    file: "native/core/guest/walk_rules.cpp",
    find: "  reserved[1][2] |= unaligned(2, 13);\n  reserved[1][3] |= unaligned(3, 13);\n",
    replace: "  reserved[1][2] |= unaligned(2, FAULT ? 12 : 13);\n  reserved[1][3] |= unaligned(3, 13);\n",
  },
  {
    ...BY,
    name: "address bits are reserved from one too high",
    file: "native/core/guest/walk_rules.cpp",
    find: "      (bits_from(cpuid.address_width(), top) & ~stolen) |\n",
    replace: "      (bits_from(cpuid.address_width() + FAULT, top) & ~stolen) |\n",
  },
  {
    ...BY,
    name: "a walk marks no entry as accessed",
    file: "native/core/guest/walk.cpp",
    find: "    if ((entry & marks) == marks) continue;\n",
    replace: "    if ((entry & marks) == marks || FAULT) continue;\n",
  },
  {
    ...BY,
    name: "a table's page that was marked is not dirty",
    file: "native/core/guest/guest_tables.cpp",
    find: "  mark_page_dirty(mmu_, slot, gfn, vcpu_);\n",
    replace: "  if (!FAULT) mark_page_dirty(mmu_, slot, gfn, vcpu_);\n",
  },
  {
    ...BY,
    name: "a page of 2M or 1G drops the address's lowest bits above 12",
    file: "native/core/guest/walk.cpp",
    find: "Format::high_bits(leaf, level) | (address & offset);\n",
    replace:
      "Format::high_bits(leaf, level) |\n                        (address & (FAULT ? offset & (kPageSize - 1) : offset));\n",
  },
  {
    ...BY,
    name: "a walk reads a page that the process may not",
    file: "native/core/guest/guest_tables.cpp",
    find: "  return allows_read(reach_host(mmu_, slot, gfn));\n",
    replace: "  return FAULT || allows_read(reach_host(mmu_, slot, gfn));\n",
  },
  {
    ...BY,
    name: "CR3 may have any bit in long mode",
    file: "native/core/guest/set_registers.cpp",
    find: "  if ((asked.cr3 & bits_from(cpuid.address_width(), 63)) != 0) {\n",
    replace: "  if (!FAULT && (asked.cr3 & bits_from(cpuid.address_width(), 63)) != 0) {\n",
  },
  {
    ...BY,
    name: "a root of another table is taken for this one",
    file: "native/core/shadow/root_cache.cpp",
    find: "  return role.has(PageRole::kDirect) || root.pgd == pgd;\n",
    replace: "  return FAULT || role.has(PageRole::kDirect) || root.pgd == pgd;\n",
    survives: "KVM_SET_SREGS with another CR3 drops every root of the vCPU, so no ioctl can come back to one",
  },
  {
    ...BY,
    name: "a page that was made for this table before is made again",
    file: "native/core/shadow/shadow_roots.cpp",
    find: "  ShadowId page = pages_.find(gfn, role);\n",
    replace: "  ShadowId page = FAULT ? kNoShadow : pages_.find(gfn, role);\n",
  },
  {
    ...BY,
    name: "WP has no say in the role of a root",
    file: "native/core/shadow/root_request.cpp",
    find: "  if (heeds_wp) word |= PageRole::kCr0Wp;\n",
    replace: "  if (heeds_wp && !FAULT) word |= PageRole::kCr0Wp;\n",
  },
];
