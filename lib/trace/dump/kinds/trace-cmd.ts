/** `trace.dat`, as `trace-cmd record` writes it (trace-cmd.dat(5)): 0x17 0x08 0x44 and "tracing". */
import { defineDumpKind } from "../dump-kind.js";

export default defineDumpKind({
  name: "trace.dat",
  magic: [Buffer.from("\x17\x08\x44tracing", "latin1")],
  program: "trace-cmd",
  format: "ftrace",
  // -t: nanoseconds; six digits would make events of one microsecond equal.
  arguments: (path) => ["report", "-t", "-i", path],
  install: "trace-cmd",
});
