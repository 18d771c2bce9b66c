/**
 * From results to an exit status: rules that were not to be broken, and events
 * that the recorder lost.
 */
import type { Replay } from "../index.js";
import type { Context } from "./command.js";
import { EXIT, type ExitCode, UsageError } from "./exit-codes.js";
import type { RunOptions } from "./run-options.js";

const ANY = "any";

/** @throws UsageError for a rule that does not exist, naming those that do */
export async function expectRules(context: Context, asked: readonly string[] = []): Promise<void> {
  if (asked.length === 0) return;
  const known = (await context.library()).rules().map(({ id }) => id);
  const unknown = asked.find((rule) => rule !== ANY && !known.includes(rule));
  if (unknown === undefined) return;
  throw new UsageError(`--fail-on must be any or some of ${known.join(", ")}, got "${unknown}"`);
}

/** What the results come to; what is wrong is said on stderr. */
export function statusOf(
  { terminal }: Context,
  replays: readonly Replay[],
  { failOn = [], quiet, allowLossy = false }: RunOptions,
): ExitCode {
  const remarks = replays.flatMap((result) => brokenBy(result, failOn));
  const lost = allowLossy ? 0 : (replays[0]?.input.lost ?? 0);
  const status = remarks.length > 0 ? EXIT.failed : lost > 0 ? EXIT.input : EXIT.ok;
  if (quiet) return status;
  for (const remark of remarks) terminal.say(`gpalias: ${remark} (exit ${status})`);
  if (lost > 0) {
    // Every count is a lower bound.
    terminal.say(
      `gpalias: the recorder lost ${lost} events; every count is of what it kept (exit ${status})`,
    );
  }
  return status;
}

function brokenBy({ run, violations, advisories }: Replay, failOn: readonly string[]): string[] {
  const broken = violations.filter(({ rule }) => failOn.includes(ANY) || failOn.includes(rule));
  // Whoever wants these to fail names them.
  const dear = advisories.filter(({ rule }) => failOn.includes(rule));
  return [
    ...broken.map(({ rule, firstEvent }) => `${run} is unsafe under ${rule}, first at event ${firstEvent}`),
    ...dear.map(
      ({ rule, firstEvent }) => `${run} pays for more than it must: ${rule}, first at event ${firstEvent}`,
    ),
  ];
}
