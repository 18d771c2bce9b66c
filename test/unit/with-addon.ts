/** Whether this checkout has an addon that loads. Without one, tests that need it are skipped, loudly. */
import { loadAddon } from "../../lib/native/addon.js";

export const hasAddon = loads();

function loads(): boolean {
  try {
    loadAddon();
    return true;
  } catch (error) {
    console.warn(`SKIPPED: what needs the addon: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}
