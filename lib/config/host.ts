/**
 * How the modelled host and its KVM are set up: module parameters, quirks, what the processor has. One table; the
 * rest of the library goes by it.
 */
import { expectKeys, expectOneOf } from "../expect.js";
import { booleanOf } from "./fields.js";
import type { HostOptions, Kernel, ResolvedHost, Vendor } from "./types.js";

export const VENDORS: readonly Vendor[] = ["intel", "amd"];
export const KERNELS: readonly Kernel[] = ["6.16", "5.10", "pvm-6.18"];

export const HOST_DEFAULTS: ResolvedHost = {
  vendor: "intel",
  adBits: true,
  pml: false,
  nxHugePages: false,
  eagerPageSplit: true,
  mmioCaching: true,
  l1tf: false,
  memoryTypes: false,
  slotZapAll: true,
  asyncPageFaults: false,
  apicv: true,
};

/** @throws TypeError or RangeError with code `ERR_CONFIG` */
export function hostOf(value: unknown): ResolvedHost {
  const given = value ?? {};
  expectKeys("host", given, Object.keys(HOST_DEFAULTS));
  const { vendor, ...flags } = HOST_DEFAULTS;
  const { vendor: asked, ...others } = given as HostOptions;
  const checked = Object.entries(flags).map(([name, usual]) => {
    const value = others[name as keyof typeof others] ?? usual;
    return [name, booleanOf(`host.${name}`, value)];
  });
  return { vendor: expectOneOf("host.vendor", asked ?? vendor, VENDORS), ...Object.fromEntries(checked) };
}

/** What is not as it is by default. */
export function unusual(host: ResolvedHost): HostOptions {
  return Object.fromEntries(
    Object.entries(host).filter(([name, value]) => value !== HOST_DEFAULTS[name as keyof ResolvedHost]),
  );
}
