/**
 * In which format and compression a command writes a trace: as it is told, or
 * as the name of the file says.
 */
import type { Compression, WriteTraceOptions } from "../index.js";
import type { Context, OptionDefinition } from "./command.js";

export interface FormOptions {
  readonly output: string;
  readonly to?: string;
  readonly compress?: Compression;
}

export const formOptions: readonly OptionDefinition[] = [
  {
    flags: "--to <format>",
    summary:
      "format to write (default: by the file's name: .bin, .txt, .ndjson, .jsonl, .parquet; else binary)",
    choices: ["binary", "ftrace", "ndjson", "parquet"],
  },
  {
    flags: "--compress <how>",
    summary: "compression to write (default: by the file's name: .gz, .br; else none)",
    choices: ["none", "gzip", "brotli"],
  },
];

export async function formOf({ library }: Context, options: FormOptions): Promise<WriteTraceOptions> {
  const { formatOfPath } = await library();
  const named = await formatOfPath(options.output);
  return {
    format: options.to ?? named.format ?? "binary",
    compression: options.compress ?? named.compression ?? "none",
  };
}
