/** The engine held to a kernel: to what one answered once, to what one printed, and to what the machine's own answers now. */
export * from "./kvm/verify.js";
export * from "./observe/verify-trace.js";
export * from "./vectors/verify.js";
