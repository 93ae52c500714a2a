import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { useProblemWords } from "../ui/problem-words.ts";

/** What the server may say no to here, by its code; in the dictionaries under `billing.refusal`. */
const BILLING_REFUSALS = [
  "over_paid",
  "other_currency",
  "other_patient",
  "payment_draft",
  "more_than_paid",
  "too_many_payments",
  "payment_from_credit",
  "payment_refunded",
  "number_taken",
  "client_fixed",
  "invoice_has_money",
  "gift_certificate_unpaid",
  "gift_certificate_redeemed",
  "gift_certificate_used",
  "gift_certificate_expired",
  "package_inactive",
  "credit_not_for_this",
  "credit_used",
  "credit_not_paid",
  "credit_expired",
  "credit_too_small",
  "too_many_lines",
  "currency_fixed",
  "lines_fixed",
  "invoice_has_payments",
] as const;

/** The same of memberships, under `memberships.refusal`. */
const MEMBERSHIP_REFUSALS = [
  "switched",
  "charge_unpaid",
  "same_plan",
  "card_declined",
  "has_invoice",
  "nothing_to_pay",
  "membership_pending",
  "membership_over",
  "plan_inactive",
  "no_academy",
] as const;

/** One sentence for a person about anything that an act on money can throw. */
export function useBillingWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (error) => {
    if (!(error instanceof ProblemError)) return words(error);
    const billing = BILLING_REFUSALS.find((known) => known === error.code);
    if (billing !== undefined) return t(`billing.refusal.${billing}`);
    const membership = MEMBERSHIP_REFUSALS.find((known) => known === error.code);
    return membership === undefined ? words(error) : t(`memberships.refusal.${membership}`);
  };
}
