/** `gpalias verify vectors`: the engine beside what a kernel answered once. */
import type { CommonOptions, Context } from "./command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { json } from "./output.js";
import { startProgress } from "./progress.js";

/** Vectors between two looks at the clock of the progress line. */
const STRIDE = 50;

export async function runVerifyVectors(
  { library, signal, terminal }: Context,
  files: readonly string[],
  options: CommonOptions,
): Promise<ExitCode> {
  const { renderVerification, verifyVectors } = await library();
  const { quiet } = options;
  const progress = await startProgress(terminal, "verifying", { quiet, unit: "vectors" });
  const onProgress = (cases: number) => {
    if (cases % STRIDE === 0) progress.update(cases, undefined);
  };
  const result = await verifyVectors(files, { signal, onProgress }).finally(() => progress.stop());
  await terminal.print(options.json ? json(result) : renderVerification(result, terminal));
  if (result.failed > 0) return EXIT.failed;
  if (result.cases > result.skipped) return EXIT.ok;
  if (!quiet) {
    const reason = result.cases === 0 ? "no file has a vector" : "no vector is of a known kind";
    terminal.say(`gpalias: nothing was verified: ${reason} (exit ${EXIT.unsupported})`);
  }
  return EXIT.unsupported;
}
