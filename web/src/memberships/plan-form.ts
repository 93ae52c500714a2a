// A plan as it is typed. Pure.
import type { MembershipType, RecurrenceInterval } from "@hookwell/sdk";
import type { Plan, PlanInput } from "../api/memberships.ts";
import type { Mistakes } from "../billing/form.ts";
import { amountAt } from "../billing/mistakes.ts";
import { majorOf, minorOf, ratePercent, readAmount, readRate, withMark } from "../billing/money.ts";
import type { Money } from "../billing/use-money.ts";

const PAYMENTS_MAX = 1_000;

export interface TypedPlan {
  type: MembershipType;
  name: string;
  price: string;
  taxRate: string;
  every: RecurrenceInterval;
  /** Empty: until it is cancelled. */
  payments: string;
  /** Empty: none. */
  credit: string;
  itemIds: number[];
  active: boolean;
}

export function typedPlan(plan: Plan | null, { exponent, locale, typed }: Money): TypedPlan {
  if (plan === null) {
    return {
      ...{ type: "clinic_package_membership", name: "", price: "", taxRate: "", every: "month" },
      ...{ payments: "", credit: "", itemIds: [], active: true },
    };
  }
  const { type, name, price, tax_rate, recurrence_interval, number_of_payments, credit_value, item_ids, active } = plan;
  return {
    ...{ type, name, every: recurrence_interval, itemIds: item_ids, active },
    price: typed(minorOf(price, exponent)),
    taxRate: tax_rate === 0 ? "" : withMark(String(tax_rate), locale),
    payments: number_of_payments === null ? "" : String(number_of_payments),
    credit: credit_value === null ? "" : typed(minorOf(credit_value, exponent)),
  };
}

const isAcademy = ({ type }: TypedPlan): boolean => type === "academy_membership";

export function planMistakes(typed: TypedPlan, { exponent }: Money): Mistakes {
  const price = readAmount(typed.price, exponent);
  const count = Number(typed.payments);
  const isTerm = typed.payments.trim() === "" || (Number.isInteger(count) && count >= 1 && count <= PAYMENTS_MAX);
  return {
    ...(typed.name.trim() === "" ? { name: "name" as const } : {}),
    ...(typeof price === "string" ? { price } : {}),
    ...(readRate(typed.taxRate.trim() || "0") === null ? { tax_rate: "rate" as const } : {}),
    ...(isTerm ? {} : { number_of_payments: "payments" as const }),
    ...(isAcademy(typed) || typed.credit.trim() === "" ? {} : amountAt("credit_value", typed.credit, exponent)),
  };
}

/** As the server takes it; its type is said once, at its creation. */
export function planInput(typed: TypedPlan, { exponent }: Money, isNew: boolean): PlanInput {
  const amount = (text: string) => majorOf(Number(readAmount(text, exponent)), exponent);
  const credit = typed.credit.trim() === "" ? null : amount(typed.credit);
  return {
    ...(isNew ? { type: typed.type } : {}),
    name: typed.name.trim(),
    price: amount(typed.price),
    tax_rate: ratePercent(readRate(typed.taxRate.trim() || "0") ?? 0),
    recurrence_interval: typed.every,
    number_of_payments: typed.payments.trim() === "" ? null : Number(typed.payments),
    ...(isAcademy(typed) ? { item_ids: typed.itemIds } : { credit_value: credit }),
    active: typed.active,
  };
}
