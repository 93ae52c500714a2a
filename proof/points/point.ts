/** What a named crash point is, and the words for the three moments of a statement. */
import type { Moment } from "../crash/wire-proxy.ts";
import type { Rig } from "./rig.ts";

export interface Point {
  name: string;
  /** the engine's statement at which it is, as store.ts and recover.ts name it */
  statement?: string;
  /** played in `npm test`, too */
  isQuick?: true;
  /** until the victim is dead */
  play: (rig: Rig) => Promise<void>;
  /** instead of a new node that delivers */
  recover?: (rig: Rig) => Promise<void>;
}

export const WORDS: Readonly<Record<Moment, string>> = {
  before: "before it reaches the database",
  during: "while the database does it",
  after: "committed, its answer on the way",
};
