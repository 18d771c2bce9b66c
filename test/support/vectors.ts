/** Where recorded answers of a real KVM may lie: beside the checkout, or where GPALIAS_VECTORS says. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BESIDE = fileURLToPath(new URL("../../../shared/vectors/", import.meta.url));

/** The file's path, or undefined where this machine has none of that name. */
export function findVectors(file: string): string | undefined {
  const path = join(process.env.GPALIAS_VECTORS ?? BESIDE, file);
  return existsSync(path) ? path : undefined;
}
