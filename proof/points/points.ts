/** The named crash points: where a process is killed with -9, and what is there afterwards in any case. */
import { until } from "../../server/test/until.ts";
import { clientPoints } from "./client-points.ts";
import { enginePoints, shutdownPoints } from "./engine-points.ts";
import type { Point } from "./point.ts";
import { MOMENTS } from "./trapped-receiver.ts";
import { upkeepPoints } from "./upkeep-points.ts";

const requestPoints: Point[] = MOMENTS.map((moment) => ({
  name: `a request: ${moment}`,
  ...(moment === "the answer's headers are sent" && { isQuick: true }),
  async play(rig) {
    rig.killWhen(moment);
    await rig.emitSome();
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
  },
}));

/** The receiver has some of a body that is longer than what fits in between, and reads on when its sender is dead. */
const bodyPoint: Point = {
  name: "a request: the receiver has some of its body, and never gets the rest",
  async play(rig) {
    const { receiver } = rig;
    rig.killWhen("the body begins");
    await rig.emitLarge();
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
    receiver.readOn();
    await until("the request has ended too early", () => receiver.cutShort === 1);
    if (receiver.lines.some(({ body }) => body !== null))
      throw new Error("a request was whole, though its body was cut");
  },
};

export const POINTS: readonly Point[] = [
  ...clientPoints,
  ...upkeepPoints,
  {
    name: "a claim is made, and the secrets it is signed with are being read",
    async play(rig) {
      rig.killAt({ statement: /^read_targets /, moment: "before" });
      await rig.emitSome();
      await rig.startNode({ untilItWorks: false });
      await rig.isKilled();
    },
  },
  ...requestPoints,
  bodyPoint,
  ...enginePoints,
  ...shutdownPoints,
];
