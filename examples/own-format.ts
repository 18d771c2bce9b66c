/**
 * A trace format of one's own: lines of `vcpu,access,gpa`, such as `1,write,0x1000`.
 */

import { Readable } from "node:stream";
import { type Access, createVm, defineTraceFormat, openTrace, registerTraceFormat, replay } from "gpalias";

const LINE = /^(\d+),(read|write|fetch),(0x[0-9a-f]+)$/;
const text = (bytes: DataView) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

registerTraceFormat(
  defineTraceFormat({
    name: "lines",
    summary: "vcpu,access,gpa, one access a line",
    hasOperations: false,
    detect: (head) => LINE.test(text(head).split("\n", 1)[0] ?? ""),
    open: () => undefined,
    // Whole lines only: what follows the last newline comes again, with more behind it.
    decode: (chunk, sink) => {
      let at = 0;
      for (const line of text(chunk).split("\n").slice(0, -1)) {
        const [, vcpu, access, gpa] = LINE.exec(line) ?? sink.fail(at, "vcpu,access,gpa");
        sink.access(Number(gpa), access as Access, Number(vcpu));
        at += line.length + 1;
      }
      return at;
    },
  }),
);

const trace = await openTrace(
  Readable.from([Buffer.from("0,write,0x1000\n1,read,0x1008\n1,fetch,0xfee00000\n")]),
);
using vm = createVm({ vcpus: 2 });
vm.memslots.add({ gpa: 0, bytes: 2 ** 20 });
const { input, outcomes } = await replay(vm, trace);
console.log(input.format, outcomes);
