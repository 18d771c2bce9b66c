/** Whether tests may ask the machine's own KVM. Without one they are skipped, loudly. */
import { kernelOf } from "../../lib/kvm/kernel.js";
import { loadAddon } from "../../lib/native/addon.js";

const DEVICE = "/dev/kvm";

export const whyNoKvm = reason();
export const hasKvm = whyNoKvm === undefined;
if (whyNoKvm !== undefined) console.warn(`SKIPPED: what asks this machine's KVM: ${whyNoKvm}`);

function reason(): string | undefined {
  try {
    const live = new (loadAddon().LiveKvm)(DEVICE);
    try {
      const kernel = kernelOf(live, DEVICE);
      return kernel.isRecordedKind ? undefined : kernel.told.because;
    } finally {
      live.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
