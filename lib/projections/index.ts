/** Projections of a recorded trace onto aliases: the part that replays need. */
export { carriesAliasBit, createProjection } from "./create-projection.js";
export { passThrough } from "./pass-through.js";
export { projectBatches } from "./project-batches.js";
export type { Projection, ProjectionContext } from "./projection.js";
