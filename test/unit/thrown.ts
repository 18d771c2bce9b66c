/** The error that a call throws or a promise rejects with, for tests that look into it. */
export function thrownBy(call: () => unknown): Error & Record<string, unknown> {
  try {
    call();
  } catch (error) {
    return asError(error);
  }
  throw new Error("nothing was thrown");
}

export async function rejectionOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return asError(error);
  }
  throw new Error(`resolved with ${String(value)}`);
}

function asError(error: unknown): Error & Record<string, unknown> {
  if (error instanceof Error) return error as Error & Record<string, unknown>;
  throw new Error(`${String(error)} is not an Error`);
}
