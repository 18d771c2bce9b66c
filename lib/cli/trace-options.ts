/** Options of every command that reads a recorded trace. */
import type { TraceVendor } from "../index.js";
import type { OptionDefinition } from "./command.js";

export interface TraceOptions {
  readonly vendor: TraceVendor;
}

export interface LossyOptions {
  readonly allowLossy?: boolean;
}

export const vendorOption: OptionDefinition = {
  flags: "--vendor <name>",
  summary: "whose error codes a text trace has; auto: told apart code by code",
  default: "auto",
  choices: ["auto", "intel", "amd", "tdx", "shadow"],
};

export const lossyOption: OptionDefinition = {
  flags: "--allow-lossy",
  summary: "judge a trace of which events were lost as if it were complete, and exit 0",
};
