/**
 * What a refusal looks like from JavaScript.
 *
 * An error means that a caller, an input or we made a mistake; what a guest
 * access comes to is an outcome and never arrives here. The sentences of
 * refusals come from the native table; this file gives them a class.
 */

/** Every code, in the order of the native error table. */
export const ERROR_CODES = [
  "ERR_CONFIG",
  "ERR_UNKNOWN_STRATEGY",
  "ERR_UNSUPPORTED",
  "ERR_MEMSLOT_ID",
  "ERR_MEMSLOT_FLAGS",
  "ERR_MEMSLOT_SIZE",
  "ERR_MEMSLOT_GPA",
  "ERR_MEMSLOT_HVA",
  "ERR_MEMSLOT_ADDRESS_SPACE",
  "ERR_MEMSLOT_WRAPS",
  "ERR_MEMSLOT_TOO_LARGE",
  "ERR_MEMSLOT_MISSING",
  "ERR_MEMSLOT_IMMUTABLE",
  "ERR_MEMSLOT_OVERLAP",
  "ERR_MEMSLOT_BEYOND_MAX",
  "ERR_MEMSLOT_ALIASED",
  "ERR_MEMSLOT_BACKING",
  "ERR_MEMSLOT_BAD_FD",
  "ERR_MEMSLOT_MEMFD",
  "ERR_GUEST_MEMFD",
  "ERR_HOST_MAPPING",
  "ERR_NO_DIRTY_LOG",
  "ERR_DIRTY_LOG",
  "ERR_DIRTY_RING",
  "ERR_NO_DIRTY_RING",
  "ERR_COPY",
  "ERR_CAPABILITY",
  "ERR_RING_TOO_LARGE",
  "ERR_VCPU",
  "ERR_VCPU_EXISTS",
  "ERR_MMU_PAGES",
  "ERR_MTRR",
  "ERR_REGISTERS",
  "ERR_GUEST_MEMORY",
  "ERR_EVENT",
  "ERR_BATCH",
  "ERR_CLOSED",
  "ERR_BUSY",
  "ERR_ABORTED",
  "ERR_OUT_OF_MEMORY",
  "ERR_TRACE",
  "ERR_IO",
  "ERR_INTERNAL",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface MmuErrorDetails {
  /** The errno that KVM returns. @default "" */
  readonly errno?: string;
  /** The numbers that explain the refusal. @default {} */
  readonly values?: Readonly<Record<string, number>>;
  readonly cause?: unknown;
}

/** A refusal: the VM, a batch or a file said no, and why. */
export class MmuError extends Error {
  override readonly name: string = "MmuError";
  readonly code: ErrorCode;
  /** The errno that KVM returns for this, `""` where KVM has no such call. */
  readonly errno: string;
  /** The numbers that explain it; `applied` counts events that took effect. */
  readonly values: Readonly<Record<string, number>>;

  constructor(code: ErrorCode, message: string, details: MmuErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.errno = details.errno ?? "";
    this.values = details.values ?? {};
  }
}

export interface TraceErrorDetails extends MmuErrorDetails {
  /** Name of the trace format, `""` while it is unknown. */
  readonly format?: string;
  /** Byte in the file (compressed) or in the decoded text or records. */
  readonly offset?: number;
  /** Line (from 1) or record (from 0). */
  readonly record?: number;
}

/** A trace that cannot be read: where, and what was expected there. */
export class TraceError extends MmuError {
  override readonly name: string = "TraceError";
  /** Name of the format that was being read, `""` while it is unknown. */
  readonly format: string;
  /** Byte offset of the trouble, undefined where there is none. */
  readonly offset: number | undefined;
  /** Line (from 1, text) or record (from 0, binary) of the trouble, undefined if not known. */
  readonly record: number | undefined;

  constructor(message: string, details: TraceErrorDetails = {}) {
    super("ERR_TRACE", message, details);
    this.format = details.format ?? "";
    this.offset = details.offset;
    this.record = details.record;
  }
}

/**
 * Turns whatever the addon threw into an {@link MmuError}; anything else is
 * returned as it is. The stack is the one that the addon made on this thread.
 */
export function fromNative(error: unknown): unknown {
  if (!isNativeError(error) || error instanceof MmuError) return error;
  const details = { errno: error.errno ?? "", values: error.values ?? {} };
  return withStackOf(error, new MmuError(error.code, error.message, details));
}

/** Runs a native call; its refusal arrives as an {@link MmuError}. */
export function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

/**
 * The same for a decoder's refusal, whose message is what it expected: it
 * becomes a {@link TraceError} that also says where.
 */
export function fromDecoder(error: unknown, format: string, source: string): unknown {
  if (!isNativeError(error) || error instanceof MmuError || error.code !== "ERR_TRACE")
    return fromNative(error);
  const values = error.values ?? {};
  const { offset, record, line } = values;
  const place = line === undefined ? `record ${record ?? "?"}` : `line ${line}`;
  const details: TraceErrorDetails = {
    values,
    format,
    ...(offset !== undefined && { offset }),
    ...((line ?? record) !== undefined && { record: (line ?? record) as number }),
  };
  const message = `${source}: ${place} (byte ${offset ?? "?"}): expected ${error.message}`;
  return withStackOf(error, new TraceError(message, details));
}

/**
 * Makes a batch's error speak of the trace: rows become event numbers, from 0,
 * and `values.applied` counts every event before it that took effect. The
 * error was made for this call alone, so it is amended and not copied.
 *
 * @param before events of the trace in front of the batch
 * @param applied events of the trace that took effect
 */
export function inTrace(error: unknown, before: number, applied: number): unknown {
  if (!(error instanceof MmuError)) return error;
  const { row } = error.values;
  const values = { ...error.values, applied, ...(row !== undefined && { row: before + row }) };
  let message = error.message;
  if (error.code === "ERR_ABORTED") message = `aborted after ${applied} events`;
  if (error.code === "ERR_EVENT") message = message.replace(/^event \d+/, `event ${values["row"]}`);
  const stack = error.stack?.replace(error.message, () => message);
  return Object.assign(error, { message, stack, values });
}

/** Says in front of an error's sentence which of several it is about; `""` adds nothing. */
export function named(error: unknown, name: string): unknown {
  if (name === "" || !(error instanceof Error)) return error;
  const message = `${name}: ${error.message}`;
  const stack = error.stack?.replace(error.message, () => message);
  return Object.assign(error, { message, stack });
}

interface NativeShape extends Error {
  readonly code: ErrorCode;
  readonly errno?: string;
  readonly values?: Readonly<Record<string, number>>;
}

function isNativeError(error: unknown): error is NativeShape {
  if (!(error instanceof Error) || !("code" in error)) return false;
  // A TypeError of the binding is a bug of ours that must stay what it is.
  return (ERROR_CODES as readonly unknown[]).includes(error.code) && "values" in error;
}

function withStackOf<E extends Error>(native: Error, error: E): E {
  const frames = native.stack?.split("\n    at ").slice(1) ?? [];
  if (frames.length > 0) error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n    at ");
  return error;
}
