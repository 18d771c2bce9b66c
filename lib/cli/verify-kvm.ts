/** `gpalias verify kvm`: the engine beside the machine's own KVM. */
import type { KvmVerification } from "../index.js";
import type { CommonOptions, Context } from "./command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { json } from "./output.js";
import { type Progress, startProgress } from "./progress.js";

export interface KvmOptions extends CommonOptions {
  readonly seed?: number;
  readonly cases?: number;
  readonly device?: string;
}

export async function runVerifyKvm(context: Context, options: KvmOptions): Promise<ExitCode> {
  const { terminal } = context;
  const { renderKvmVerification } = await context.library();
  const result = await verify(context, options);
  await terminal.print(options.json ? json(result) : renderKvmVerification(result, terminal));
  if (result.difference !== null) return EXIT.failed;
  if (result.cases > 0) return EXIT.ok;
  if (!options.quiet) {
    const { device, because } = result.kernel;
    terminal.say(`gpalias: nothing was verified: ${device}: ${because} (exit ${EXIT.unsupported})`);
  }
  return EXIT.unsupported;
}

async function verify({ library, terminal, signal }: Context, options: KvmOptions): Promise<KvmVerification> {
  const { verifyKvm } = await library();
  const { quiet, seed, cases = 1000, device } = options;
  const bars: Progress[] = [
    await startProgress(terminal, "asking", { quiet, unit: "scripts" }),
    await startProgress(terminal, "making the difference small", { quiet, unit: "scripts tried" }),
  ];
  const [playing, shrinking] = bars as [Progress, Progress];
  try {
    return await verifyKvm({
      ...(seed !== undefined && { seed }),
      cases,
      ...(device !== undefined && { device }),
      signal,
      onProgress: (done, phase) => {
        if (phase === "playing") return playing.update(done, done / cases);
        playing.stop();
        shrinking.update(done, undefined);
      },
    });
  } finally {
    for (const bar of bars) bar.stop();
  }
}
