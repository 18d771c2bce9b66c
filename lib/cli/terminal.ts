/**
 * The terminal as commands see it: how wide, in colour or not, and two
 * streams. Data goes to stdout; talk and progress go to stderr.
 *
 * The only file that looks at NO_COLOR, COLUMNS and whether a stream is a
 * terminal.
 */
import type { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  /** Columns that text may use on stdout. */
  readonly columns: number;
  readonly color: boolean;
  /** Whether stderr is a terminal, so that progress may overwrite itself. */
  readonly interactive: boolean;
  /** Resolves when the data is handed over, so that a slow reader slows us. */
  print(data: string | Uint8Array): Promise<void>;
  /** One line on stderr. */
  say(line: string): void;
}

const DEFAULT_COLUMNS = 80;
const NARROWEST = 40;

export function openTerminal(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Terminal {
  return {
    columns: columnsOf(stdout),
    color: stdout.isTTY === true && wantsColor(),
    interactive: stderr.isTTY === true,
    print: (data) =>
      new Promise((resolve, reject) => {
        stdout.write(data, (error) => (error ? reject(error) : resolve()));
      }),
    say: (line) => {
      stderr.write(`${line}\n`);
    },
  };
}

/** Any value that is not empty switches colour off: no-color.org. */
function wantsColor(): boolean {
  return (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
}

/** COLUMNS wins, so that a pipe can be given a width too. */
function columnsOf(stream: NodeJS.WriteStream): number {
  const asked = Number(process.env["COLUMNS"]);
  const columns = Number.isInteger(asked) && asked > 0 ? asked : (stream.columns ?? DEFAULT_COLUMNS);
  return Math.max(columns, NARROWEST);
}
