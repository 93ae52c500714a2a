/** A plan as `explain (format json)` tells it. */

export interface PlanNode {
  "Node Type": string;
  "Parent Relationship"?: string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Index Cond"?: string;
  /** with `analyze` */
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

/** What `explain` answers. */
export interface PlanRow {
  "QUERY PLAN": { Plan: PlanNode }[];
}

/** A plan's first node and all below it. Throws where there is none. */
export function nodesOf(rows: readonly PlanRow[]): PlanNode[] {
  const plan = rows[0]?.["QUERY PLAN"][0]?.Plan;
  if (plan === undefined) throw new Error("there is no plan");
  return [...below(plan)];
}

function* below(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* below(child);
}

/** Rows that these nodes have looked at by themselves, thrown away or not. The plan was made with `analyze`. */
export function rowsLookedAt(nodes: readonly PlanNode[]): number {
  return nodes.reduce((sum, node) => {
    const { "Actual Rows": kept, "Actual Loops": loops } = node;
    if (kept === undefined || loops === undefined) throw new Error("the plan was not made with analyze");
    const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
    return sum + (kept + removed) * loops;
  }, 0);
}
