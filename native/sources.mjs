// The one list of native sources: gyp and CMake both ask here.
//
// `node native/sources.mjs` prints every source of the addon, one path a line
// relative to the repository; `node native/sources.mjs core|check|trace|observe|kvm|bench|binding`
// prints one part. A file belongs to the part whose folder it lies in, so a
// new source needs no entry anywhere.
import { readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const nativeDir = dirname(fileURLToPath(import.meta.url));
const parts = ["core", "check", "trace", "observe", "kvm", "bench", "binding"];

/**
 * Files of the given parts whose names end in `ext`, as paths relative to the
 * repository, sorted, with forward slashes.
 */
export function sources(wanted = parts, ext = ".cpp") {
  return wanted.flatMap((part) =>
    readdirSync(join(nativeDir, part), { recursive: true })
      .filter((name) => name.endsWith(ext))
      .map((name) => join(part, name))
      .map((name) => join(relative(dirname(nativeDir), nativeDir), name))
      .map((name) => name.split(sep).join("/"))
      .sort(),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((part) => !parts.includes(part));
  if (unknown !== undefined) {
    process.stderr.write(`sources.mjs: no part "${unknown}", only ${parts.join(", ")}\n`);
    process.exitCode = 2;
  } else {
    for (const path of sources(wanted.length > 0 ? wanted : parts)) process.stdout.write(`${path}\n`);
  }
}
