#!/usr/bin/env node
/**
 * The `gpalias` command: the process around a program.
 *
 * Here, and only here: signals, a closed pipe, the words for an error and the
 * exit status. What a command does is in `commands/`.
 */
import type { Context } from "./command.js";
import { codeOf, describe, EXIT, type ExitCode, exitCodeOf } from "./exit-codes.js";
import { openTerminal } from "./terminal.js";

const terminal = openTerminal(process.stdout, process.stderr);
const interrupt = new AbortController();
let signalled: ExitCode | undefined;

function onSignal(status: ExitCode): void {
  // The second signal means: now.
  if (signalled !== undefined) process.exit(status);
  signalled = status;
  interrupt.abort();
}

async function main(): Promise<ExitCode> {
  const [{ runProgram }, { loadCommands }] = await Promise.all([
    import("./program.js"),
    import("./registry.js"),
  ]);
  const context: Context = {
    terminal,
    signal: interrupt.signal,
    library: () => import("../index.js"),
  };
  const { VERSION } = await context.library();
  return runProgram(process.argv.slice(2), await loadCommands(), VERSION, context);
}

function report(error: unknown): ExitCode {
  if (signalled !== undefined) {
    terminal.say(`gpalias: interrupted${progressOf(error)}`);
    return signalled;
  }
  // Whoever read our output has had enough; that is not an error.
  if (codeOf(error) === "EPIPE") return EXIT.ok;
  const status = exitCodeOf(error);
  terminal.say(`gpalias: ${describe(error)}`);
  if (status === EXIT.internal) {
    terminal.say("This is a defect of gpalias; please report it with the lines below.");
    terminal.say(error instanceof Error ? (error.stack ?? "") : "");
  }
  return status;
}

/** How far an aborted replay came, if the error says so. */
function progressOf(error: unknown): string {
  const values = typeof error === "object" && error !== null && "values" in error ? error.values : undefined;
  const applied = (values as Record<string, unknown> | undefined)?.["applied"];
  return typeof applied === "number" ? ` after ${applied.toLocaleString("en-US")} events` : "";
}

process.on("SIGINT", () => onSignal(EXIT.interrupted));
process.on("SIGTERM", () => onSignal(EXIT.terminated));
process.on("uncaughtException", (error) => process.exit(report(error)));
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => process.exit(report(error)));
}

const status = await main().catch(report);
// Not left to the event loop: a reader of stdin may still be waiting.
process.exit(signalled ?? status);
