/** The engine held to a kernel: to what one answered once, and to what the machine's own answers now. */
export * from "./kvm/verify.js";
export * from "./vectors/verify.js";
