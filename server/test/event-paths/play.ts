/** How the table of ways is written: a play is one way to cause an event, with all that arrives when it is played. */
import type { EventName } from "@hookwell/sdk";
import type { Scene } from "./stage.ts";

/** Everything but the screens, which e2e/every-event.test.ts plays by hand. */
export const WAYS = ["api", "portal", "automation", "feed: snapshot", "feed: event", "import"] as const;
export type Way = (typeof WAYS)[number];

/** How many participants a consult event is about; `cancelled` where the consult is. */
export type Shown = `${number}` | `${number} cancelled`;

export interface Play {
  readonly what: string;
  /** Sets the stage; what arrives by it is put aside. Its result is handed to `act`. */
  // biome-ignore lint/suspicious/noExplicitAny: each play hands its own things from `before` to `act`
  readonly before?: (scene: Scene) => Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly act: (scene: Scene, set: any) => Promise<unknown>;
  /** Exactly what arrives. */
  readonly events: readonly EventName[];
  /** Of each consult event in `events`: for how many participants, and whether the consult is cancelled. */
  readonly shows?: readonly Shown[];
  /** About how many subjects they are, where that is the point. */
  readonly subjects?: number;
  /** The events are about several subjects, between which no order is promised (contract §7). */
  readonly anyOrder?: boolean;
  /** Needs a clinic in which nothing else was played. */
  readonly alone?: boolean;
}

/** Why an event cannot come this way, and what one might think sends it but does not. */
export interface Never {
  readonly never: string;
  readonly plays: readonly Play[];
}

/** Finished events are fed alike, whatever they are: see fed.ts. */
export type Row = Readonly<Record<Exclude<Way, "feed: event">, readonly Play[] | Never>>;

export const never = (reason: string, plays: readonly Play[] = []): Never => ({ never: reason, plays });
