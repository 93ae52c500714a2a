/** No way leads the outbound client to an internal address: a listener that hears on all of them is the witness. */
import { describeCanaries } from "./describe-canaries.ts";

describeCanaries(100);
