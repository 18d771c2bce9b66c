/**
 * What a report for a build server is: one file in `formats/` that
 * default-exports one of these, and makes text of suites and cases.
 */
import type { Suite } from "./suites.js";

export interface ReportFormat {
  /** As `--report` takes it: lower-case letters. */
  readonly name: string;
  /** Text with an end of line. The same suites always give the same text. */
  render(suites: readonly Suite[]): string;
}
