/**
 * Finds the commands: every module in `commands/`, in alphabetical order.
 *
 * A new command is a new file there and nothing else.
 */
import { readdir } from "node:fs/promises";
import type { Command } from "./command.js";

const FOLDER = new URL("commands/", import.meta.url);

export async function loadCommands(): Promise<Command[]> {
  // Compiled, a folder holds declarations and maps as well.
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules: { default: Command }[] = await Promise.all(
    files.map((file) => import(new URL(file, FOLDER).href)),
  );
  return modules.map((module) => module.default);
}
