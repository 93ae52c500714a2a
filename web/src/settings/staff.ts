// What the parts of the staff page share: where its answers are kept, and the roles in the order of their reach.
import type { Role } from "../api-types.ts";

export const STAFF = ["staff"] as const;
export const ROLES: readonly Role[] = ["manager", "practitioner", "front_desk"];
