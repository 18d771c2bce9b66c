/** `perf.data`, as `perf record` writes it: "PERFILE2", and "PERFFILE" before Linux 3. */
import { defineDumpKind } from "../dump-kind.js";

export default defineDumpKind({
  name: "perf.data",
  magic: [Buffer.from("PERFILE2"), Buffer.from("PERFFILE")],
  program: "perf",
  format: "ftrace",
  arguments: (path) => ["script", "--ns", "--show-lost-events", "-i", path],
  install: "linux-perf (Debian), linux-tools-$(uname -r) (Ubuntu), perf (Fedora)",
});
