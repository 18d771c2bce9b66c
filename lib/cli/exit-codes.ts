/**
 * The exit status that each kind of ending has, and the words for it.
 *
 * Scripts branch on these numbers, so an error finds its number by its code
 * and never by its text. Knows no command and writes nothing.
 */

export const EXIT = {
  ok: 0,
  /** What was not to happen did: `--fail-on`. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** What was read, or where it was to be written, is unusable or incomplete. */
  input: 3,
  /** Right, but not with this engine, build or machine. */
  unsupported: 4,
  /** A defect of gpalias. */
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A mistake in the command line that only a command can see. */
export class UsageError extends Error {
  readonly code = "ERR_USAGE";
}

/** A file that cannot be read or written, in a sentence that names it. */
export class FileError extends Error {
  readonly code = "ERR_FILE";
}

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  ERR_USAGE: EXIT.usage,
  ERR_CONFIG: EXIT.usage,
  ERR_UNKNOWN_STRATEGY: EXIT.usage,
  ERR_UNSUPPORTED: EXIT.unsupported,
  ERR_MEMSLOT_BACKING: EXIT.unsupported,
  ERR_OUT_OF_MEMORY: EXIT.unsupported,
  ERR_ADDON: EXIT.unsupported,
  ERR_FILE: EXIT.input,
  ERR_TRACE: EXIT.input,
  ERR_IO: EXIT.input,
  ERR_EVENT: EXIT.input,
  ERR_ABORTED: EXIT.interrupted,
};

/** What the system says of a file that the user named. */
const FILE_TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EFBIG: "the file would be too large",
  EIO: "the device reports an error",
  ENXIO: "no such device",
  EMFILE: "too many open files",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
};

export function exitCodeOf(error: unknown): ExitCode {
  const code = codeOf(error);
  if (code === undefined) return EXIT.internal;
  if (code in FILE_TROUBLE) return EXIT.input;
  const rest = code.startsWith("ERR_MEMSLOT_") ? EXIT.input : EXIT.internal;
  return BY_CODE[code] ?? rest;
}

/** One line: the code where there is one of ours, and the sentence. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  const trouble = code === undefined ? undefined : FILE_TROUBLE[code];
  if (trouble !== undefined) return `${pathOf(error)}: ${trouble} (${code})`;
  const ours = code?.startsWith("ERR_") && !OWN_WORDS.has(code) && !error.message.startsWith(code);
  return ours ? `${code} ${error.message}` : error.message;
}

/** Codes that would only repeat what the sentence says. */
const OWN_WORDS = new Set(["ERR_USAGE", "ERR_CONFIG", "ERR_ADDON", "ERR_UNSUPPORTED", "ERR_FILE"]);

export function isConfigError(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === "ERR_CONFIG";
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function pathOf(error: Error): string {
  if ("path" in error && typeof error.path === "string") return error.path;
  return "syscall" in error && error.syscall === "read" ? "input" : "output";
}
