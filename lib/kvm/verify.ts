/** Holds the engine to the machine's own KVM. */

import { attempt } from "../errors.js";
import { expectInteger, expectKeys } from "../expect.js";
import { loadAddon } from "../native/addon.js";
import { vectorKinds } from "../vectors/registry.js";
import { kernelOf } from "./kernel.js";
import { liveKinds } from "./registry.js";
import { SideBySideRun } from "./side-by-side.js";
import type { KvmVerification, VerifyKvmOptions } from "./types.js";

export type * from "./types.js";

const KEYS = ["seed", "cases", "device", "signal", "onProgress"];
const HIGHEST_SEED = 2 ** 32 - 1;
const MOST_CASES = 10_000_000;

/**
 * Asks a KVM and the engine the same, in random scripts that follow from a seed; no guest is ever run. The first script
 * that they answer differently is made small and given back.
 *
 * A process has one such verification at a time: it maps 1 GiB at a fixed address for the VMs' memory.
 *
 * @throws MmuError `ERR_UNSUPPORTED` where there is no KVM, or none that may be opened; `ERR_ABORTED`; RangeError or
 * TypeError `ERR_CONFIG`
 */
export async function verifyKvm(options: VerifyKvmOptions = {}): Promise<KvmVerification> {
  expectKeys("verify", options, KEYS);
  const seed = expectInteger("seed", options.seed ?? 1, 0, HIGHEST_SEED);
  const cases = expectInteger("cases", options.cases ?? 1000, 1, MOST_CASES);
  const device = options.device ?? "/dev/kvm";
  const addon = loadAddon();
  const live = attempt(() => new addon.LiveKvm(device));
  try {
    const kernel = kernelOf(live, device);
    const kinds = { liveKinds: await liveKinds(), vectorKinds: await vectorKinds() };
    const run = new SideBySideRun({ live, kernel, addon, ...kinds }, options);
    return { schemaVersion: 1, seed, ...(await run.play(seed, cases)), kernel: kernel.told };
  } finally {
    live.close();
  }
}
