/** The facts of the academy's events: what is known at the moment of the change, every key in the documented order. Pure. */
import type { AcademyFacts, AccessFacts, CheckoutFacts, Person, ResourceType } from "@hookwell/sdk";
import type { Amounts } from "../billing/amounts.ts";
import { toMajor } from "../billing/money.ts";
import type { ItemRow } from "./items.ts";

type NamedItem = Pick<ItemRow, "id" | "type" | "name" | "currency">;

/** A checkout session was created; there is no payment yet (contract §2). */
export function checkoutFacts(item: NamedItem, client: Person): AcademyFacts {
  const of = <T extends ResourceType>(type: T): CheckoutFacts<T> => ({
    event: `${type}.checkout_process_started`,
    resource: { type, name: item.name, id: item.id },
    additional_data: {},
    client,
  });
  return item.type === "course" ? of("course") : of("webinar");
}

/** A patient has gained access; zeros where nothing was paid for it (contract §2). */
export function accessFacts(item: NamedItem, client: Person, paid: Amounts): AcademyFacts {
  const major = (minor: number) => toMajor(minor, item.currency);
  const { subtotalMinor, taxesMinor, totalMinor } = paid;
  const of = <T extends ResourceType>(type: T): AccessFacts<T> => ({
    event: `${type}_participant.added`,
    resource: { type, name: item.name, id: item.id },
    additional_data: {},
    payment: { subtotal: major(subtotalMinor), taxes: major(taxesMinor), total: major(totalMinor) },
    client,
  });
  return item.type === "course" ? of("course") : of("webinar");
}
