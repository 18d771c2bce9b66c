/** An error between two threads: what a structured clone would forget of it, its class and its code. */
import { ERROR_CODES, type ErrorCode, MmuError } from "../errors.js";

export interface PlainError {
  readonly message: string;
  /** Absent where it was no refusal. */
  readonly code?: ErrorCode;
  readonly errno: string;
  readonly values: Readonly<Record<string, number>>;
  readonly stack?: string | undefined;
}

export function plain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { message: String(error), errno: "", values: {} };
  const { message, stack } = error;
  const { code, errno, values } = error as Partial<MmuError>;
  const isRefusal = code !== undefined && ERROR_CODES.includes(code);
  return { message, stack, errno: errno ?? "", values: values ?? {}, ...(isRefusal ? { code } : {}) };
}

export function revived({ message, code, errno, values, stack }: PlainError): Error {
  const error = code === undefined ? new Error(message) : new MmuError(code, message, { errno, values });
  if (stack !== undefined) error.stack = stack;
  return error;
}
