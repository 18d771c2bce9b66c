// What the tests need from the system, by Debian package.
import { existsSync } from "node:fs";
import { has, run, Stop, say } from "../process.mjs";

const required = [
  { name: "g++", present: () => has("g++") },
  { name: "make", present: () => has("make") },
  { name: "python3", present: () => has("python3") },
  { name: "cmake", present: () => has("cmake") },
  { name: "ninja-build", present: () => has("ninja") },
  { name: "doctest-dev", present: () => existsSync("/usr/include/doctest/doctest.h") },
];

// Each has a check that is left out, with a line that says so, where it is missing.
const useful = [
  { name: "libbenchmark-dev", present: () => existsSync("/usr/include/benchmark/benchmark.h") },
  { name: "clang-format-19", present: () => has("clang-format-19") },
  { name: "valgrind", present: () => has("valgrind") },
];

const missing = (packages) => packages.filter((each) => !each.present()).map((each) => each.name);

// root, or a sudo that asks nothing.
function asRoot() {
  if (!has("apt-get")) return undefined;
  if (process.getuid?.() === 0) return [];
  return has("sudo", ["-n", "true"]) ? ["sudo", "-n"] : undefined;
}

function aptGet(prefix, args) {
  const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args];
  return run(command, rest) === 0;
}

export function installTools() {
  const wanted = [...missing(required), ...missing(useful)];
  if (wanted.length === 0) return;
  const install = ["install", "-y", "--no-install-recommends"];
  const prefix = asRoot();
  if (prefix) {
    say(`setup: installing ${wanted.join(" ")} ...`);
    aptGet(prefix, ["update"]);
    // One useful package that the distribution lacks must not keep the required ones out.
    if (!aptGet(prefix, [...install, ...wanted])) aptGet(prefix, [...install, ...missing(required)]);
  }
  const line = (names) => `  apt-get update && apt-get install -y ${names.join(" ")}`;
  if (missing(required).length > 0) throw new Stop(`setup: the tests need more. Run:\n${line(wanted)}`, 4);
  const absent = missing(useful);
  if (absent.length > 0)
    say(`setup: without ${absent.join(", ")} some checks are left out:\n${line(absent)}`);
}
