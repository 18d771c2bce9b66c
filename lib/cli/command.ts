/**
 * What a command is: one file in `commands/` that default-exports one of
 * these. Parsing, help and suggestions are all made from this definition.
 *
 * Knows nothing of the parser, of the terminal's escape codes or of any
 * command; a command file in turn knows only this file and its neighbours.
 */
import type { ExitCode } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

/** The whole library, as any other user has it. */
export type Library = typeof import("../index.js");

export interface Context {
  readonly terminal: Terminal;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Loads the library, and the addon with it, when a command first needs it. */
  library(): Promise<Library>;
}

export interface ArgumentDefinition {
  /** As help shows it: `<trace>` is required, `[trace]` is not. */
  readonly syntax: string;
  readonly summary: string;
}

export interface OptionDefinition {
  /** As help shows it: `--batch <n>`, `-o, --output <file>`, `--no-hash`. */
  readonly flags: string;
  readonly summary: string;
  readonly default?: string | number;
  /** The command cannot do without it. */
  readonly required?: true;
  readonly choices?: readonly string[];
  /** Turns the text into a value, or throws an Error whose sentence says what was expected. */
  readonly parse?: (text: string) => unknown;
  /** It may be given several times: its value is a list. */
  readonly repeats?: true;
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

export interface Command<Options = Record<string, unknown>> {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly [Example, Example];
  run(context: Context, args: readonly string[], options: Options): Promise<ExitCode>;
}

export function defineCommand<Options>(command: Command<Options>): Command<Options> {
  return command;
}

/** Options that every command has. */
export interface CommonOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}
