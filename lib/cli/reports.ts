/**
 * `--report`: beside the result, reports for build servers, each in a file
 * that appears whole or not at all.
 *
 * Files are opened before the trace is: one that cannot be written is said at
 * once, and not when the work is done.
 */
import type { ComparedRun } from "../index.js";
import type { Context } from "./command.js";
import { UsageError } from "./exit-codes.js";
import { type Output, withOutput } from "./output.js";
import type { ReportTarget, RunOptions } from "./run-options.js";

type Write = (runs: readonly ComparedRun[]) => Promise<void>;

/** Opens every report, hands over how they are written, and keeps or drops them by how that ends. */
export async function withReports<T>(
  context: Context,
  options: RunOptions,
  use: (write: Write) => Promise<T>,
): Promise<T> {
  const { report: targets = [], failOn, allowLossy } = options;
  if (targets.length === 0) return use(async () => {});
  const { renderReport, reportFormats, rules } = await context.library();
  expectTargets(targets, options.output, await reportFormats());
  return withFiles(context, targets, [], (files) =>
    use(async (runs) => {
      for (const [index, { format }] of targets.entries()) {
        await files[index]?.write(await renderReport(format, runs, rules(), failOn, allowLossy));
      }
    }),
  );
}

async function withFiles<T>(
  context: Context,
  targets: readonly ReportTarget[],
  opened: readonly Output[],
  use: (files: readonly Output[]) => Promise<T>,
): Promise<T> {
  const next = targets[opened.length];
  if (next === undefined) return use(opened);
  return withOutput(next.path, context.terminal, (file) =>
    withFiles(context, targets, [...opened, file], use),
  );
}

function expectTargets(
  targets: readonly ReportTarget[],
  output: string | undefined,
  known: readonly string[],
): void {
  const unknown = targets.find(({ format }) => !known.includes(format));
  if (unknown !== undefined) {
    const forms = known.map((name) => `${name}=FILE`).join(" or ");
    throw new UsageError(`--report must be ${forms}, got "${unknown.format}=${unknown.path}"`);
  }
  const paths = [...targets.map(({ path }) => path), ...(output === undefined ? [] : [output])];
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw new UsageError(`two outputs name the same file, "${twice}"`);
}
