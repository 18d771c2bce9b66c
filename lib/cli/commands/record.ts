/** `gpalias record`: how to record a trace. It prints lines and runs none of them. */
import { type CommonOptions, defineCommand } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { integerBetween } from "../numbers.js";

interface Options extends CommonOptions {
  readonly tool?: string;
  readonly vm?: number;
  readonly buffer: number;
}

export default defineCommand<Options>({
  name: "record",
  summary: "print the lines that record a good trace; runs nothing",
  arguments: [],
  options: [
    {
      flags: "--tool <name>",
      summary: "with which program (default: all of them, one after the other)",
      choices: ["bpftrace", "perf", "trace-cmd", "tracefs"],
    },
    {
      flags: "--vm <pid>",
      summary: "only of this VM: the process id of its VMM (default: every VM of the host)",
      parse: integerBetween(1, 2 ** 22),
    },
    {
      flags: "--buffer <MiB>",
      summary: "buffer on each CPU",
      default: 64,
      parse: integerBetween(1, 4096),
    },
  ],
  examples: [
    {
      line: "gpalias record --tool trace-cmd",
      says: "the lines for trace-cmd, to paste into a shell of root",
    },
    {
      line: "gpalias record --tool perf --vm 4711 --buffer 256",
      says: "one VM, with a quarter of a GiB a CPU",
    },
  ],
  run: async ({ library, terminal }, _args, { tool, vm, buffer }) => {
    const { recordingLines } = await library();
    const asked = { bufferMiB: buffer, ...(tool !== undefined && { tool }), ...(vm !== undefined && { vm }) };
    await terminal.print(await recordingLines(asked));
    return EXIT.ok;
  },
});
