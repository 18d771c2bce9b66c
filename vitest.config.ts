// One project: every test is a plain file under test/. Forks, not threads: the
// addon must survive an environment that ends, and a crash must end one file.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/**/fixtures/**"],
    pool: "forks",
    maxWorkers: 2,
    // The longest tests replay a whole capture or compile every header.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { include: ["lib/**/*.ts"], reportsDirectory: "coverage" },
  },
});
