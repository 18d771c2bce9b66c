/** Dirty logging begins or ends, or a round of it is read: automatic mode. */
import { event, type OperationKind } from "../world.js";

const dirtyLogs: OperationKind = () => [
  { says: "userspace reads the dirty log", steps: [event("dirty-log-get")], symmetry: "none" },
  { says: "dirty logging begins", steps: [event("dirty-log-enable")], symmetry: "none" },
  { says: "dirty logging ends", steps: [event("dirty-log-disable")], symmetry: "none" },
];

export default dirtyLogs;
