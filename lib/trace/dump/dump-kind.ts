/**
 * What a dump is: a recorder's own binary file, which only the recorder's
 * program turns into text. One kind a file, in `kinds/`.
 */
export interface DumpKind {
  /** What people call such a file. */
  readonly name: string;
  /** Its first bytes. */
  readonly magic: readonly Uint8Array[];
  /** The program that prints it, and the format of what it prints. */
  readonly program: string;
  readonly format: string;
  /** The program's arguments for a file. */
  arguments(path: string): readonly string[];
  /** Which package has the program. */
  readonly install: string;
}

export function defineDumpKind(kind: DumpKind): DumpKind {
  return Object.freeze(kind);
}

/** The command as one types it. */
export function commandLine({ program, arguments: of }: DumpKind, path: string): string {
  return [program, ...of(path)].join(" ");
}
