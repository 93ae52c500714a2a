/** As canary.test.ts, with a name that flips a thousand times. */
import { describeCanaries } from "./describe-canaries.ts";

describeCanaries(1_000);
