/**
 * The addon's VM under the library's: what the library has no words for is
 * asked there, and rings are asked for before the first vCPU.
 */
import { createVm, type Vm, type VmConfig } from "../../../lib/index.js";
import { loadAddon } from "../../../lib/native/addon.js";
import type { NativeVm, NativeVmConfig } from "../../../lib/native/addon-types.js";
import { CAP_RING } from "../reference/logging.js";

type NativeVmClass = new (config: NativeVmConfig) => NativeVm;

const natives = new WeakMap<Vm, NativeVm>();

export function nativeOf(vm: Vm): NativeVm {
  const native = natives.get(vm);
  if (native === undefined) throw new Error("a VM that was made elsewhere");
  return native;
}

/** @param dirtyRing bytes of each vCPU's ring, 0 for none */
export function createKept(config: VmConfig, dirtyRing: number): Vm {
  const { vm, native } = capturing(dirtyRing > 0, () => createVm(config));
  natives.set(vm, native);
  if (dirtyRing === 0) return vm;
  native.enableCap(CAP_RING, 0, dirtyRing);
  for (let id = 0; id < vm.config.vcpus; id++) native.createVcpu(id);
  return vm;
}

/** The library takes the addon's class at each call, so for one call it is given another. */
function capturing(isWithoutVcpus: boolean, create: () => Vm): { vm: Vm; native: NativeVm } {
  const addon = loadAddon() as { Vm: NativeVmClass };
  const Plain = addon.Vm;
  let native: NativeVm | undefined;
  addon.Vm = class extends Plain {
    constructor(config: NativeVmConfig) {
      super(isWithoutVcpus ? { ...config, vcpus: 0 } : config);
      native = this;
    }
  };
  try {
    const vm = create();
    if (native === undefined) throw new Error("the library made no VM");
    return { vm, native };
  } finally {
    addon.Vm = Plain;
  }
}
