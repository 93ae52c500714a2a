// The pages of a portal besides the sign-up. Letters lead to some of them (server/src/api/portal-letters.ts).
export const STEPS = ["sign-in", "confirm", "forgot", "reset", "home"] as const;
export type Step = (typeof STEPS)[number];

/** Where a link on a portal leads. */
export function stepLink(portalName: string, step: Step) {
  return { to: "/portal/$portalName/$step", params: { portalName, step } } as const;
}
