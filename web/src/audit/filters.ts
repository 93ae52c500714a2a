// The filters of the history, as they stand in the page's address, and what a change changed. Pure.
import type { AuditFilters } from "../api/audit.ts";
import { isDay } from "../ui/time.ts";

/** A user's or an API key's id, as the server gives it. */
const ACTOR = /^[\x21-\x7e]{1,200}$/;

/** Whether there are words for it is the page's to say: they come with it. */
const ACTION = /^[a-z_]{1,40}\.[a-z_]{1,40}$/;

/** Reads the filters out of an address; what is not a filter is left out, so that a bad link still opens the page. */
export function auditFilters(search: Record<string, unknown>): AuditFilters {
  const filters: AuditFilters = {};
  if (typeof search.actor === "string" && ACTOR.test(search.actor)) filters.actor = search.actor;
  if (typeof search.action === "string" && ACTION.test(search.action)) filters.action = search.action;
  if (isDay(search.from)) filters.from = search.from;
  // A last day before the first one shows nothing, and the server would say so; the first one alone shows something.
  if (isDay(search.to) && !(filters.from !== undefined && search.to < filters.from)) filters.to = search.to;
  return filters;
}

export interface Change {
  field: string;
  before: unknown;
  after: unknown;
}

/** The fields that differ, or all that are there where there was nothing before or is nothing after. */
export function changesOf({ before, after }: { before: unknown; after: unknown }): Change[] {
  const [was, is] = [recordOf(before), recordOf(after)];
  // `changed` names fields whose values are masked, so that they look the same.
  const named = Array.isArray(is.changed) ? is.changed : [];
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((field) => field !== "changed");
  return (
    fields
      .map((field) => ({ field, before: was[field], after: is[field] }))
      .filter(
        (change) => JSON.stringify(change.before) !== JSON.stringify(change.after) || named.includes(change.field),
      )
      // Of what is new, only what there is.
      .filter((change) => !(change.before === undefined && isNothing(change.after)))
  );
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
