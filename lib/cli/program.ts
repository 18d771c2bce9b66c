/**
 * From command definitions to a parser: the only file that knows commander.
 *
 * It parses and calls; it never writes a result and never ends the process.
 */
import { Argument, CommanderError, InvalidArgumentError, Option, Command as Parser } from "commander";
import type { Command, Context, OptionDefinition } from "./command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";

const SUMMARY =
  "A userspace model of the KVM x86 MMU: replays recorded guest page faults and says what the MMU did.";
const STATUS = `Exit status:
  0 done, 1 a rule of --fail-on was broken or a vector failed,
  2 wrong command line,
  3 lossy or bad input, 4 not supported here, 70 a defect of gpalias,
  130 and 143 ended by SIGINT and SIGTERM`;

/** Parses `argv` (without node and script) and runs what it names. */
export async function runProgram(
  argv: readonly string[],
  commands: readonly Command[],
  version: string,
  context: Context,
): Promise<ExitCode> {
  let status: ExitCode = EXIT.ok;
  const program = newParser("gpalias", context)
    .description(SUMMARY)
    .version(version, "-V, --version", "print the version")
    .usage("<command> [options]")
    .helpCommand("help [command]", "print this, or the help of a command");
  for (const command of commands) {
    addCommand(program, command, context, (code) => {
      status = code;
    });
  }
  program.addHelpText("after", () => `\n${examplesOf(commands)}\n\n${STATUS}`);
  try {
    if (argv.length === 0) program.help({ error: true });
    await program.parseAsync(asked(argv, commands), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end this way too; every other one is a mistake in argv.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return status;
}

/** Help for a command that does not exist is refused as the command would be, with the nearest name. */
function asked(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  const [first, name] = argv;
  const isUnknown = name !== undefined && !commands.some((command) => command.name === name);
  return first === "help" && isUnknown ? [name] : argv;
}

function newParser(name: string, { terminal }: Context): Parser {
  return new Parser(name)
    .exitOverride()
    .showHelpAfterError("(gpalias --help shows what there is)")
    .helpOption("-h, --help", "print this")
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      getOutHelpWidth: () => terminal.columns,
      outputError: (text, write) => write(text.replace(/^error:/, "gpalias:")),
    })
    .helpCommand(false);
}

function addCommand(
  program: Parser,
  command: Command,
  context: Context,
  done: (code: ExitCode) => void,
): void {
  const parser = newParser(command.name, context)
    .summary(command.summary)
    .description(sentence(command.summary))
    .showHelpAfterError(`(gpalias ${command.name} --help shows what there is)`)
    .allowExcessArguments(false);
  for (const { syntax, summary } of command.arguments) parser.addArgument(new Argument(syntax, summary));
  for (const definition of command.options) parser.addOption(toOption(definition));
  parser.addHelpText("after", `\n${examplesOf([command])}`);
  parser.action(async () => {
    done(await command.run(context, parser.args, parser.opts()));
  });
  program.addCommand(parser);
}

function toOption(definition: OptionDefinition): Option {
  const { flags, summary, default: value, required, choices, parse, repeats } = definition;
  const option = new Option(flags, summary).makeOptionMandatory(required === true);
  if (value !== undefined) option.default(value);
  if (choices !== undefined) option.choices([...choices]);
  if (parse !== undefined) {
    option.argParser((text, before) => {
      const parsed = parseOrExplain(parse, text);
      return repeats ? [...((before as unknown[] | undefined) ?? []), parsed] : parsed;
    });
  }
  return option;
}

function parseOrExplain(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The parser puts its own sentence, "... is invalid.", in front of this one.
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function examplesOf(commands: readonly Command[]): string {
  const examples = commands.flatMap((command) => command.examples);
  return ["Examples:", ...examples.flatMap(({ line, says }) => [`  ${line}`, `      ${says}`])].join("\n");
}
